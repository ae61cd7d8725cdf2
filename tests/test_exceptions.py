import re
from importlib import import_module
from pkgutil import walk_packages

import pytest
from django.db import DatabaseError, OperationalError

import django_mullet
from django_mullet import exceptions

MODULES = sorted(
    module.name
    for module in walk_packages(django_mullet.__path__, "django_mullet.")
    if not module.ispkg and ".management." not in module.name
)


def rank(name: str) -> tuple[int, str]:
    """Constants first, then classes, then the rest, as a linter sorts them."""
    if name.isupper():
        return 0, name
    return (1, name) if name[0].isupper() else (2, name)


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_exports_is_sorted_and_there(module: str) -> None:
    imported = import_module(module)

    names = imported.__all__

    assert list(names) == sorted(names, key=rank)
    assert [name for name in names if not hasattr(imported, name)] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_in_one_line_what_it_provides(module: str) -> None:
    docstring = import_module(module).__doc__

    assert docstring
    first_line = docstring.splitlines()[0]
    assert first_line.endswith((".", ":"))
    assert "?" not in first_line


def test_the_version_is_one_of_a_release() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", django_mullet.__version__)


def test_the_docstring_draws_the_tree_of_errors() -> None:
    tree = re.search(r"^MulletError\n(?:[├└]── .*\n)+", exceptions.__doc__ or "", re.MULTILINE)

    assert tree is not None
    drawn = re.findall(r"[├└]── (\w+)", tree[0])
    assert drawn == sorted(error.__name__ for error in exceptions.MulletError.__subclasses__())


def test_a_missing_connection_is_an_operational_error_of_django() -> None:
    assert exceptions.ConnectionLimitReached.__bases__ == (OperationalError,)
    assert issubclass(exceptions.ConnectionLimitReached, DatabaseError)


def test_every_error_is_exported() -> None:
    defined = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and value.__module__ == exceptions.__name__
    }

    assert defined == set(exceptions.__all__)
