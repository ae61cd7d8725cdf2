"""Stands for the compilers of a database backend that is not Django's."""

from typing import Any

from django.db.models.sql import compiler

SQLCompiler = compiler.SQLCompiler


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """Does what Django's does; nobody knows that."""


class SQLUpdateCompiler(compiler.SQLUpdateCompiler):
    """Does what Django's does; nobody knows that."""


def __getattr__(name: str) -> Any:
    return getattr(compiler, name)
