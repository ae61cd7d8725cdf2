"""Searches on the documentation site: what people type, and where the first hit leads."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser_tests.conftest import open_docs

# What is typed, and the page of the first hit, with its section if it is one.
FIRST_HITS = {
    "quickstart": "quickstart/",
    "installation": "installation/",
    "existing project": "existing-project/",
    "custom user model": "custom-user/",
    "uuid primary key": "fields/#uuid-primary-key",
    "foreign key": "schemas/#foreign-keys-and-relations",
    "many to many": "schemas/#many-to-many",
    "nested": "schemas/#nested-schemas",
    "partial update": "schemas/#partial-update-patch",
    "bulk create": "schemas/#bulk-create",
    "transaction": "transactions/",
    "rollback": "transactions/#rollback",
    "atomic": "transactions/#atomic-a-transaction-for-one-route",
    "background task": "transactions/#background-tasks-and-on_commit",
    "on_commit": "transactions/#background-tasks-and-on_commit",
    "async": "queries/#async-async-def-endpoints",
    "streaming": "streaming/",
    "SSE": "server-sent-events/",
    "websocket": "streaming/#websockets",
    "file upload": "uploads/",
    "media": "media/",
    "static files": "deployment/#static-files",
    "middleware": "middleware/",
    "session": "middleware/#sessions-and-requestuser",
    "CSRF": "middleware/#csrf",
    "CORS": "middleware/#cors",
    "API key": "authentication/#api-key",
    "JWT": "authentication/#jwt",
    "registration": "registration/",
    "multi-tenant": "tenants/",
    "row level security": "tenants/#row-level-security",
    "several databases": "databases/",
    "read replica": "databases/#read-replicas",
    "N+1": "queries/#n1-queries-are-errors",
    "prefetch": "queries/#prefetch-and-select_related",
    "camelCase": "envelopes/",
    "enum": "fields/#enums-and-choices",
    "decimal": "fields/#decimals",
    "error format": "error-formats/",
    "testing": "testing/",
    "deployment": "deployment/",
    "pgbouncer": "deployment/#pgbouncer",
    # Others that are easily thought of.
    "django orm": "fastapi-with-django-orm/",
    "password reset": "registration/#what-else-you-need",
    "docker": "deployment/#docker-and-nginx",
    "uvicorn": "deployment/#uvicorn-gunicorn-and-other-servers",
    "login": "authentication/#login-with-djangos-session",
    "permissions": "authentication/#permissions",
    "pagination": "queries/#pagination",
    "filter": "queries/#filtering-and-ordering",
    "pytest": "testing/#pytest",
    "savepoint": "transactions/#savepoints",
    "validation": "schemas/#validation-what-the-model-says",
    "swagger": "installation/#swagger-ui-and-redoc",
    "openapi": "clients/",
}


@pytest.fixture(scope="module")
def search_box(browser: Browser, docs_url: str) -> Iterator[Page]:
    """The first page of the site, with its search open."""
    with open_docs(browser, docs_url) as page:
        page.locator("[data-md-component=search] button").first.click()
        expect(page.get_by_role("combobox")).to_be_visible()
        yield page


@pytest.mark.parametrize(("query", "expected"), FIRST_HITS.items())
def test_a_search_leads_to_the_page_that_answers(
    query: str, expected: str, search_box: Page, docs_url: str
) -> None:
    found = search_box.get_by_role("option")
    search_box.get_by_role("combobox").fill("")
    expect(found).to_have_count(0)

    search_box.get_by_role("combobox").fill(query)

    expect(found.first).to_be_visible()
    first = (found.first.get_attribute("href") or "").removeprefix(docs_url)
    assert first == expected
