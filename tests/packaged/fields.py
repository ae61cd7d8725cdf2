"""Which fields do packages have that are not laid out as Django's own are?

These are as those of django-taggit and django-modelcluster, as small as can be;
`make test-strangers` tries the packages themselves.
"""

from typing import Any

from django.db import models
from django.db.models.fields.related import ManyToManyDescriptor, RelatedField

from django_mullet import register_field_type


class Code(str):
    """A key in Python, which is a number in the database."""

    number: int

    def __new__(cls, number: int) -> "Code":
        code = super().__new__(cls, f"no. {number}")
        code.number = number
        return code


class CodeField(models.IntegerField):  # type: ignore[type-arg]
    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Code | None:
        return None if value is None else Code(value)

    def to_python(self, value: Any) -> Any:
        return Code(value) if isinstance(value, int) else value

    def get_prep_value(self, value: Any) -> Any:
        return value.number if isinstance(value, Code) else value


register_field_type(
    CodeField,
    read=lambda field, code: None if code is None else code.number,
    write=lambda field, number: None if number is None else Code(number),
)


class Tags(RelatedField):  # type: ignore[type-arg]
    """Leads to many objects, by rows that only its manager knows, and is no `ManyToManyField`."""

    many_to_many = True
    many_to_one = one_to_many = one_to_one = False

    def __init__(self, to: Any, through: Any) -> None:
        self.through = through
        self.labels = [str(getattr(model, "_meta", model)) for model in (to, through)]
        field: Any = self
        rel = models.ManyToManyRel(field, to, related_name="+", through=through)
        super().__init__(rel=rel, null=True, blank=True)

    def deconstruct(self) -> Any:
        name, path, _, _ = super().deconstruct()
        return name, path, self.labels, {}

    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, private_only: bool = False
    ) -> None:
        self.set_attributes_from_name(name)
        self.model = cls
        self.opts = cls._meta
        # As Django does it: hidden, and another one for each field.
        self.remote_field.related_name = f"_{cls._meta.label_lower}_{name}_+"
        cls._meta.add_field(self)
        setattr(cls, name, self)

    def get_internal_type(self) -> str:
        return "ManyToManyField"

    def m2m_db_table(self) -> str:
        table: str = self.through._meta.db_table
        return table

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _Tagged(self, instance)


class _Tagged:
    def __init__(self, field: Tags, instance: Any) -> None:
        self.field = field
        self.instance = instance
        self.rows = field.through.objects.filter(object_id=instance.pk).order_by("pk")

    def all(self) -> Any:
        cache = getattr(self.instance, "_prefetched_objects_cache", {})
        if self.field.name in cache:
            return cache[self.field.name]
        return [row.tag for row in self.rows.select_related("tag")]

    def get_queryset(self) -> Any:
        return self.field.related_model._base_manager.all()  # filled by whoever prefetches

    def set(self, tags: Any) -> None:
        self.rows.delete()
        for tag in tags:
            self.field.through.objects.create(object_id=self.instance.pk, tag=tag)

    def get_prefetch_querysets(self, instances: Any, querysets: Any = None) -> Any:
        keys = [instance.pk for instance in instances]
        rows = self.field.through.objects.filter(object_id__in=keys).select_related("tag")
        tags = []
        for row in rows.order_by("pk"):
            row.tag.owner = row.object_id
            tags.append(row.tag)

        def owner(tag: Any) -> Any:
            return tag.owner

        return tags, owner, lambda instance: instance.pk, False, self.field.name, False


class _Kept:
    """What is set is kept in memory until it is committed."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    def set(self, objects: Any) -> None:
        self._manager.instance.kept = list(objects)

    def commit(self) -> None:
        self._manager.set(self._manager.instance.kept)


class _KeptDescriptor(ManyToManyDescriptor):  # type: ignore[type-arg]
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        found: Any = super().__get__(instance, owner)
        return found if instance is None else _Kept(found)


class KeptManyToManyField(models.ManyToManyField):  # type: ignore[type-arg]
    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _KeptDescriptor(self.remote_field))


class KeptTags(Tags):
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else _KeptTagged(self, instance)


class _KeptTagged(_Tagged):
    def get_tagged_item_manager(self) -> Any:
        return _Items(self)

    def set(self, tags: Any) -> None:
        self.instance.kept_tags = list(tags)


class _Items:
    """Manages the rows between an object and its tags."""

    def __init__(self, tagged: _KeptTagged) -> None:
        self._tagged = tagged

    def commit(self) -> None:
        _Tagged.set(self._tagged, self._tagged.instance.kept_tags)
