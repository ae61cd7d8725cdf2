"""The files that `manage.py startapi` writes for a model: schema, routes and tests."""

import json
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, models, router
from django.db.models import signals
from django.template import Context, Engine
from django.utils.text import camel_case_to_spaces, slugify

from django_mullet.codegen.examples import Row, body_of, labels_of, lacks_value
from django_mullet.codegen.schema_for import source_for
from django_mullet.fields.foreign_code import is_djangos
from django_mullet.fields.info import facts_of
from django_mullet.fields.registry import UnknownValues, annotation_of
from django_mullet.fields.type_source import import_lines, imports_of, module_of, spell

__all__ = ["Scaffold"]

ENGINE = Engine(dirs=[str(Path(__file__).parent / "api_template")])

ROUTES_USE = [
    ("typing", "Annotated"),
    ("django.shortcuts", "get_object_or_404"),
    ("django_mullet", "errors"),
    ("django_mullet", "APIRouter"),
    ("django_mullet", "Create"),
    ("django_mullet", "Patch"),
    ("django_mullet", "Update"),
    ("django_mullet", "Atomic"),
    ("fastapi", "Query"),
]
TESTS_USE = [
    ("django.test", "TestCase"),
    ("django.urls", "reverse"),
    ("django_mullet", "APIClient"),
]


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The API of `model` in the project whose application is `application`, "project.asgi.app".

    `given` are values that its tests send, by the labels of their fields: "shop.Book.isbn".
    """

    model: type[models.Model]
    application: str
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The model's name as functions and files have it: `library_card`."""
        return camel_case_to_spaces(self.model.__name__).replace(" ", "_")

    @property
    def routes(self) -> str:
        """The module of the routes."""
        return f"{self._app.name}.{self.name}_api"

    def files(self) -> dict[Path, str]:
        """Return the code of each file.

        Raises `ImproperlyConfigured` for a model that is not the project's own, for one that
        needs other routes, and for a field of which no annotation or no value is known.
        """
        self._refuse()
        try:
            return self._files()
        except UnknownValues as error:
            raise ImproperlyConfigured(
                f"{error.reason}: write {error.cure}, or the routes by hand, with the schema of "
                f"'manage.py schema {self.model._meta.label} --exclude {error.name}'."
            ) from error

    def _files(self) -> dict[Path, str]:
        app = Path(self._app.path)
        tests = app / "tests" if (app / "tests").is_dir() else app
        return {
            app / f"{self.name}_schemas.py": self._schemas(),
            app / f"{self.name}_api.py": self._render("api.py-tpl", self._routes()),
            tests / f"test_{self.name}_api.py": self._render("tests.py-tpl", self._tests()),
        }

    def _refuse(self) -> None:
        """Raise `ImproperlyConfigured` for a model of which the routes would not work."""
        meta: Any = self.model._meta
        app = Path(self._app.path)
        by_hand = "write its routes by hand"
        if any(app.is_relative_to(sysconfig.get_path(scheme)) for scheme in ("purelib", "platlib")):
            reason = f"comes with a package: {by_hand}, in an app of your own."
        elif isinstance(meta.pk, models.CompositePrimaryKey):
            reason = f"has a key of several columns: {by_hand}."
        elif meta.auto_created:
            reason = (
                "is made by Django for a many-to-many relation: write the API of "
                f"'{meta.auto_created._meta.label}', of which the relation is a list of keys."
            )
        elif (database := router.db_for_write(self.model)) != DEFAULT_DB_ALIAS:
            reason = (
                f"is stored in '{database}', by DATABASE_ROUTERS, where 'Atomic' opens no "
                f"transaction: {by_hand}, with 'with atomic(using=\"{database}\"):', of "
                f"'django_mullet', around 'select_for_update()' and 'save()', and "
                f'their tests with \'databases = {{"default", "{database}"}}\'.'
            )
        elif (column := self._unset) is not None:
            reason = (
                f"is not stored without '{column}', which no request sends, as it has "
                "'editable=False': give it a default, or set it in 'save()'."
            )
        else:
            return
        raise ImproperlyConfigured(f"'{meta.label}' {reason}")

    @property
    def _unset(self) -> str | None:
        """The name of a column of which nobody gives a new row a value."""
        if not is_djangos(self.model.save) or signals.pre_save.has_listeners(self.model):
            return None
        return next(
            (
                column.name
                for column in self.model._meta.concrete_fields
                if facts_of(self.model, column.attname).read_only
                and lacks_value(column)
                and is_djangos(type(column).pre_save)
            ),
            None,
        )

    @property
    def _app(self) -> Any:
        return apps.get_app_config(self.model._meta.app_label)

    def _schemas(self) -> str:
        return f'"""What the API shows of {self._plural}, and takes."""\n\n{source_for(self.model)}'

    def _routes(self) -> dict[str, Any]:
        key = annotation_of(self.model._meta.pk)
        schema = (f"{self._app.name}.{self.name}_schemas", self._schema)
        used = [*ROUTES_USE, *imports_of(key), schema, self._import(self.model)]
        return {"imports": self._imports(used), "key": spell(key)}

    def _tests(self) -> dict[str, Any]:
        body = body_of(self.model, self.given)
        if unknown := self.given.keys() - set(labels_of(self.model, body)):
            raise ImproperlyConfigured(f"No request sends '{min(unknown)}'.")
        module, _, app = self.application.rpartition(".")
        used = [*TESTS_USE, (module, app), *map(self._import, {self.model, *_models(body)})]
        return {
            "imports": self._imports(used),
            "app": app,
            "body": _spelled(body, indent=8),
            "has_body": bool(body),
        }

    def _render(self, template: str, context: dict[str, Any]) -> str:
        names = {
            "manager": self.model._default_manager.name,
            "model": self.model.__name__,
            "name": self.name,
            "plural": self._plural,
            "prefix": slugify(self._plural) or f"{self.name}s",
            "route": self.name.replace("_", "-"),
            "schema": self._schema,
        }
        rendered = ENGINE.get_template(template).render(
            Context({**names, **context}, autoescape=False)
        )
        return rendered.rstrip() + "\n"

    @property
    def _schema(self) -> str:
        return f"{self.model.__name__}Schema"

    @property
    def _plural(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    def _import(self, model: type[models.Model]) -> tuple[str, str]:
        return module_of(model), model.__name__

    def _imports(self, used: list[tuple[str, str]]) -> str:
        own = {name.partition(".")[0] for name in (self._app.name, self.application)}
        return "\n".join(import_lines(used, own=own))


def _models(body: Mapping[str, Any]) -> Iterator[type[models.Model]]:
    """Yield the models of the rows that `body` needs."""
    for value in body.values():
        for row in value if isinstance(value, list) else [value]:
            if isinstance(row, Row):
                yield row.model
                yield from _models(row.values)


def _spelled(value: Any, indent: int) -> str:
    """Return `value` as Python, an item a line; the lines after the first are indented."""
    space = " " * indent
    match value:
        case Row(key=key) if annotation_of(key) not in (int, str):  # a UUID, which JSON has not
            return f"str(\n{space}    {_spelled_row(value, indent + 4)}\n{space})"
        case Row():
            return _spelled_row(value, indent)
        case dict():
            lines = [f"{json.dumps(key)}: {_spelled(value[key], indent + 4)}" for key in value]
            return _enclosed("{", lines, "}", indent)
        case list():
            return _enclosed("[", [_spelled(item, indent + 4) for item in value], "]", indent)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


def _spelled_row(row: Row, indent: int) -> str:
    opening = f"{row.model.__name__}.{row.model._default_manager.name}.create("
    lines = [f"{name}={_spelled(value, indent + 4)}" for name, value in row.values.items()]
    return f"{_enclosed(opening, lines, ')', indent)}.{row.key.attname}"


def _enclosed(opening: str, lines: list[str], closing: str, indent: int) -> str:
    if not lines:
        return opening + closing
    inner = "".join(f"\n{' ' * (indent + 4)}{line}," for line in lines)
    return f"{opening}{inner}\n{' ' * indent}{closing}"
