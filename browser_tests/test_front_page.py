"""The first page of the documentation site, as a newcomer meets it."""

import re
import urllib.request
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from browser_tests.conftest import FIRST_PAGE, Shop, open_docs

HEIGHT = 800


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).last.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def test_the_first_screen_has_an_installation_a_route_a_run_and_a_picture(
    browser: Browser, docs_url: str
) -> None:
    with open_docs(browser, docs_url, height=HEIGHT) as page:
        front = page.locator(".front")

        expect(front.get_by_text('pip install "django-mullet[docs]"')).to_be_visible()
        expect(front.get_by_text("from django_mullet import")).to_be_visible()
        expect(front.get_by_text("curl http://127.0.0.1:8000/api/books/1/")).to_be_visible()
        expect(front.get_by_role("img")).to_be_visible()
        assert bottom(page, ".front") <= bottom(page, ".buttons a") <= HEIGHT
        why = page.get_by_role("heading", name="Why").bounding_box()
        assert why is not None
        assert why["y"] >= HEIGHT


def test_the_run_prints_what_the_first_screen_says(shop: Shop) -> None:
    said = re.findall(r"^\$ .+\n([^`\n]+)$", FIRST_PAGE.read_text(), re.MULTILINE)

    with urllib.request.urlopen(f"{shop.url}/api/books/1/") as response:  # noqa: S310
        answer = response.read().decode()

    [started] = re.findall("^Starting .*$", shop.log.read_text(), re.MULTILINE)
    assert said == [started.replace(shop.url, "http://127.0.0.1:8000"), answer]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_until_the_reader_chooses(
    scheme: Literal["light", "dark"], browser: Browser, docs_url: str
) -> None:
    with open_docs(browser, docs_url, scheme=scheme) as page:
        dark = page.locator("body[data-md-color-scheme=slate]")
        expect(dark).to_have_count(int(scheme == "dark"))

        page.get_by_title("Light mode").click()
        expect(dark).to_have_count(0)

        page.get_by_title("Dark mode").click()
        expect(dark).to_have_count(1)
        page.reload()
        expect(dark).to_have_count(1)


@pytest.mark.parametrize("path", ["", "quickstart/", "installation/", "schemas/", "reference/"])
def test_a_page_is_as_wide_as_a_telephone(path: str, browser: Browser, docs_url: str) -> None:
    with open_docs(browser, docs_url + path, width=390, height=844) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_console_is_copied_without_prompts_and_output(browser: Browser, docs_url: str) -> None:
    with open_docs(browser, docs_url) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        console = page.locator(".highlight", has_text="runserver")
        commands = ["python manage.py runserver", "curl http://127.0.0.1:8000/api/books/1/"]

        console.get_by_title("Copy to clipboard").click()
        expect(page.get_by_text("Copied to clipboard")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        console.locator("code").evaluate("code => getSelection().selectAllChildren(code)")
        selected = page.evaluate("getSelection().toString()")

        assert copied.split("\n\n") == commands
        assert selected.split("\n\n") == [commands[0], f"{commands[1]}\n"]


def test_a_message_in_a_console_is_copied_whole(browser: Browser, docs_url: str) -> None:
    with open_docs(browser, f"{docs_url}schemas/") as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])

        message = page.locator(".highlight", has_text="contains itself, so that what it shows")
        message.get_by_title("Copy to clipboard").click()
        expect(page.get_by_text("Copied to clipboard")).to_be_visible()

        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("django.core.exceptions.ImproperlyConfigured: 'BookSchema'")
