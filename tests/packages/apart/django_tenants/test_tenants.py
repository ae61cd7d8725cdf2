from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from apart.django_tenants.models import Author, Book, Domain, Tenant
from django_mullet import APIClient

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("red", "blue")


@pytest.fixture(autouse=True)
def tenants() -> Iterator[dict[str, Tenant]]:
    """The tenants by their names, each with tables of its own."""
    found = {name: Tenant.objects.create(schema_name=name) for name in NAMES}
    for name, tenant in found.items():
        Domain.objects.create(domain=f"{name}.example.com", tenant=tenant)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {name}")
        with tenant_context(tenant), connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Book)
    yield found
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA red, blue CASCADE")


def of(tenant: Tenant) -> list[dict[str, Any]]:
    """What Django finds in the tenant's schema."""
    with tenant_context(tenant):
        return [
            {
                "id": author.pk,
                "name": author.name,
                "books": list(author.books.order_by("pk").values("title")),
            }
            for author in Author.objects.order_by("pk")
        ]


@pytest.mark.parametrize("way", ["said", "hosts"])
def test_each_tenant_reads_and_writes_its_own_rows(
    client: APIClient, tenants: dict[str, Tenant], way: str
) -> None:
    path = f"/api/{way}/authors/"
    for number, titles in enumerate((["A"], ["B", "C"], [])):
        for name in NAMES:
            headers = {"X-Tenant": name, "Host": f"{name}.example.com"}
            books = [{"title": f"{name} {title}"} for title in titles]
            created = client.post(path, headers=headers, json={"name": "Ann", "books": books})
            assert created.status_code == 201, created.text
            key = created.json()["id"]
            changed = client.patch(f"{path}{key}/", headers=headers, json={"name": "Bob"})
            assert changed.json() == {**created.json(), "name": "Bob"} == of(tenants[name])[-1]
            shown = client.get(f"{path}?name=Bob", headers=headers).json()
            assert shown == of(tenants[name])
            assert len(shown) == number + 1
            assert client.get(f"{path}?name=Ann", headers=headers).json() == []
    assert not Author.objects.exists()
