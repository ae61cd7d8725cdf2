"""`schema_for()`: a `ModelSchema` drafted for a model, and its source for `manage.py schema`.

`schema_for` makes it, and `source_for` writes it out, for pasting.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from pydantic import create_model

from django_mullet.fields.info import find_field, is_parent_link
from django_mullet.fields.registry import annotation_of
from django_mullet.fields.sensitive import grants, is_secret
from django_mullet.fields.type_source import import_lines, imports_of, module_of, spell
from django_mullet.schemas.model_schema import ModelSchema, ReadOnly
from django_mullet.schemas.relations import needed_by_through

__all__ = ["schema_for", "source_for"]

ModelT = TypeVar("ModelT", bound=models.Model)


def schema_for(
    model: type[ModelT],
    *,
    fields: Collection[str] | None = None,
    exclude: Collection[str] = (),
    name: str | None = None,
) -> type[ModelSchema[ModelT]]:
    """Return a schema of `model` with the fields that a person would write.

    These are its columns, foreign keys by their ids (`author_id`), and many-to-many relations by
    lists of ids. Read-only are relations whose rows between the two need more than both ids, and
    what makes a user mightier, as `is_superuser` and `groups`; left out is what is likely to be a
    secret, unless `fields` names it. Raises `ImproperlyConfigured` for a model that
    is abstract or swapped, for a name that the model lacks, for a field of which no annotation is
    known, and for the password of a user, which is to be set by `set_password()` only. The schema
    is called `name`, else after the model. Needs the app registry to be ready.
    """
    read_only: Any = ReadOnly
    chosen: Any = {
        field: (read_only[annotation] if _is_shown_only(model, field) else annotation, ...)
        for field, annotation in _chosen(model, fields, exclude).items()
    }
    base: Any = ModelSchema[model]  # type: ignore[valid-type]
    made: Any = create_model(
        name or _name(model), __base__=base, __module__=model.__module__, **chosen
    )
    return made  # type: ignore[no-any-return]


def source_for(
    model: type[models.Model],
    *,
    fields: Collection[str] | None = None,
    exclude: Collection[str] = (),
    name: str | None = None,
) -> str:
    """Return the Python code of what `schema_for` makes of the same arguments."""
    chosen = _chosen(model, fields, exclude)
    # A field's name stands for the field from there on in its class, to type checkers.
    hidden = {used for annotation in chosen.values() for _, used in imports_of(annotation)}
    names = {used: f"{used}_type" for used in hidden & chosen.keys()}
    lines = [
        f"    {field}: {_marked(model, field, spell(type_, names))}"
        for field, type_ in chosen.items()
    ]
    if fields is None and (secrets := _secrets(model, exclude)):
        lines.append(f"    # Left out, as secrets are: {', '.join(secrets)}")
    heading = f"class {name or _name(model)}(ModelSchema[{_spelled(model)}]):"
    return "\n".join([*_imports(model, chosen, names), "", "", heading, *lines]) + "\n"


def _name(model: type[models.Model]) -> str:
    return f"{model.__name__}Schema"


def _chosen(
    model: type[models.Model], fields: Collection[str] | None, exclude: Collection[str]
) -> dict[str, Any]:
    """Return the annotations of the schema's fields, by their names."""
    _refuse_without_rows(model)
    if unknown := [name for name in (*(fields or ()), *exclude) if not _is_field(model, name)]:
        raise ImproperlyConfigured(
            f"'{model.__name__}' has no field '{unknown[0]}': name some of "
            f"{', '.join(_candidates(model))}."
        )
    names = [
        name
        for name in _candidates(model)
        if not is_secret(find_field(model, name)) and not name.startswith("_")
    ]
    chosen = [name for name in fields or names if not _is_among(model, name, exclude)]
    for name in chosen:
        if name.startswith("_"):
            raise ImproperlyConfigured(
                f"'{name}' of '{model.__name__}' begins with an underscore, as what Pydantic keeps "
                f'to itself: leave it out, by exclude=["{name}"]; or, in a model of your own, '
                f"call the field '{name.strip('_')}', with "
                f"'db_column=\"{find_field(model, name).column}\"'."
            )
        if name == "password" and issubclass(model, AbstractBaseUser):
            raise ImproperlyConfigured(
                f"'password' of '{model.__name__}' is a hash, that no API shows or takes: leave it "
                'out, by exclude=["password"]; to set it, write the schema with a field of its '
                "own, and call 'set_password()'."
            )
    return {name: annotation_of(find_field(model, name)) for name in chosen}


def _refuse_without_rows(model: type[models.Model]) -> None:
    meta = model._meta
    if meta.abstract:
        raise ImproperlyConfigured(
            f"'{model.__name__}' is abstract: take a model that inherits from it."
        )
    if meta.swapped:
        raise ImproperlyConfigured(
            f"'{meta.label}' is swapped for '{meta.swapped}' by '{meta.swappable}' in the "
            "settings: take that."
        )


def _is_field(model: type[models.Model], name: str) -> bool:
    field = find_field(model, name)
    return field is not None and (field.concrete or field.many_to_many)


def _candidates(model: type[models.Model]) -> list[str]:
    """Return the names of what a row has, foreign keys by their columns."""
    columns = [field for field in model._meta.concrete_fields if not is_parent_link(field)]
    return [field.attname for field in columns] + [field.name for field in model._meta.many_to_many]


def _is_shown_only(model: type[models.Model], name: str) -> bool:
    """Return whether the field makes somebody mightier, or needs more than a list of keys."""
    field = find_field(model, name)
    return grants(field) or (field.many_to_many and bool(needed_by_through(field)))


def _marked(model: type[models.Model], name: str, spelled: str) -> str:
    return f"ReadOnly[{spelled}]" if _is_shown_only(model, name) else spelled


def _spelled(model: type[models.Model]) -> str:
    """Return how the module of the schema calls `model`: `Book.tags.through`, if Django made it."""
    owner = _importable(model)
    if owner is model:
        return model.__name__
    fields: list[Any] = owner._meta.local_many_to_many
    [field] = [each for each in fields if each.remote_field.through is model]
    return f"{owner.__name__}.{field.name}.through"


def _importable(model: type[models.Model]) -> type[models.Model]:
    owner: Any = model._meta.auto_created
    return owner or model


def _is_among(model: type[models.Model], name: str, exclude: Collection[str]) -> bool:
    field = find_field(model, name)
    return not {name, field.name, field.attname}.isdisjoint(exclude)


def _secrets(model: type[models.Model], exclude: Collection[str]) -> list[str]:
    return [
        name
        for name in _candidates(model)
        if is_secret(find_field(model, name)) and not _is_among(model, name, exclude)
    ]


def _imports(
    model: type[models.Model], chosen: Mapping[str, Any], names: Mapping[str, str]
) -> list[str]:
    used = {found for annotation in chosen.values() for found in imports_of(annotation)}
    owner = _importable(model)
    used |= {
        ("django_mullet", "ModelSchema"),
        (module_of(owner), owner.__name__),
    }
    if any(_is_shown_only(model, name) for name in chosen):
        used.add(("django_mullet", "ReadOnly"))
    return import_lines(used, own={model.__module__.partition(".")[0]}, names=names)
