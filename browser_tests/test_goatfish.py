"""Can a person use the example: the admin, the API's documentation, and one from the other?"""

import json

from playwright.sync_api import Page, expect

from browser_tests.conftest import Site


def log_in(page: Page, site: Site) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(site.username)
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def authorize(page: Page, site: Site) -> None:
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".modal-ux")
    dialog.locator("input").fill(site.api_key)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").last.click()


def simulations(page: Page, site: Site) -> list[dict[str, str]]:
    response = page.request.get("/api/simulation/", headers={"X-API-Key": site.api_key})
    assert response.status == 200
    items: list[dict[str, str]] = response.json()["items"]
    return items


def test_simulation_added_in_the_admin_is_in_the_api(page: Page, site: Site) -> None:
    log_in(page, site)

    page.goto("/admin/main/simulation/add/")
    page.get_by_label("User").select_option(label="goatfish")
    page.get_by_label("Name").fill("Added by hand 🐟")
    page.get_by_label("Start date").fill("2026-05-01")
    page.get_by_label("End date").fill("2026-05-31")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was added successfully")).to_be_visible()
    [added] = [item for item in simulations(page, site) if item["name"] == "Added by hand 🐟"]
    assert (added["start_date"], added["end_date"]) == ("2026-05-01", "2026-05-31")


def test_admin_is_styled(page: Page, site: Site) -> None:
    log_in(page, site)

    header = page.locator("#header")
    assert header.evaluate("it => getComputedStyle(it).display") == "flex"


def test_docs_page_authorizes_and_executes(page: Page, site: Site) -> None:
    page.goto("/api/docs")
    expect(page.get_by_role("heading", name="Goatfish")).to_be_visible()
    authorize(page, site)

    operation = page.locator(".opblock-get").first
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()

    response = operation.locator(".live-responses-table")
    expect(response.locator(".response-col_status").last).to_contain_text("200")
    shown = json.loads(response.locator(".highlight-code code").first.inner_text())
    assert shown["items"] == simulations(page, site)


def test_docs_page_has_a_body_to_send(page: Page, site: Site) -> None:
    page.goto("/api/docs")
    authorize(page, site)

    operation = page.locator(".opblock-post").first
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    body = json.loads(operation.locator("textarea").input_value())
    assert body == {"name": "Name", "start_date": "2026-01-31", "end_date": "2026-01-31"}
    operation.get_by_role("button", name="Execute").click()

    response = operation.locator(".live-responses-table")
    expect(response.locator(".response-col_status").last).to_contain_text("200")
    assert "Name" in [item["name"] for item in simulations(page, site)]


def test_redoc_page_lists_the_routes(page: Page) -> None:
    page.goto("/api/redoc")

    heading = page.get_by_role("heading", name="Retrieve a list of all the simulations.")
    expect(heading).to_be_visible()


def test_the_docs_pages_lead_on_to_each_other_and_to_the_admin(page: Page) -> None:
    page.goto("/api/docs")

    page.get_by_role("link", name="ReDoc").click()
    expect(page.get_by_role("heading", name="Goatfish")).to_be_visible()
    page.get_by_role("link", name="Swagger UI").click()
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    page.get_by_role("link", name="Admin").click()

    expect(page.get_by_label("Password")).to_be_visible()
