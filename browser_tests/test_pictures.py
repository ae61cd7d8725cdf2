"""Do the pages look as the documentation shows them? `make pictures` takes its pictures anew.

No picture is compared with another: fonts and browsers differ.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser_tests.conftest import Shop, Site
from browser_tests.test_goatfish import log_in

MOST = 150_000  # bytes: the pictures are in the repository, and in the sdist


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the pictures go: the directory of `--pictures`, or one that is thrown away."""
    return Path(request.config.getoption("--pictures") or tmp_path)


def take(page: Page, picture: Path, *, height: int) -> None:
    page.set_viewport_size({"width": 1200, "height": height})
    page.screenshot(path=picture, animations="disabled", caret="hide")
    assert picture.stat().st_size < MOST


def test_picture_of_the_docs_page(page: Page, pictures: Path) -> None:
    page.goto("/api/docs")
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
    expect(page.locator(".opblock-delete").first).to_be_visible()

    take(page, pictures / "docs-page.png", height=664)


def test_picture_of_the_admin(page: Page, site: Site, pictures: Path) -> None:
    log_in(page, site)
    page.goto("/admin/main/simulation/")
    expect(page.get_by_role("heading", name="Select simulation to change")).to_be_visible()

    take(page, pictures / "admin.png", height=480)


def test_picture_of_the_first_page(browser: Browser, shop: Shop, pictures: Path) -> None:
    context = browser.new_context(device_scale_factor=2, viewport={"width": 900, "height": 490})
    page = context.new_page()
    page.goto(f"{shop.url}/api/docs")
    page.locator(".opblock-get").first.click()
    expect(page.locator(".opblock-body")).to_contain_text("book_id")
    page.evaluate("document.activeElement.blur()")

    picture = pictures / "front.png"
    page.screenshot(path=picture, animations="disabled", caret="hide")
    context.close()
    assert picture.stat().st_size < MOST
