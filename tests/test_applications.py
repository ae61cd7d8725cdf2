from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from fastapi import FastAPI

from django_mullet.applications import get_application, get_application_path

app = FastAPI()
application = app


@pytest.mark.parametrize("name", ["app", "application"])
def test_the_application_is_what_the_setting_names(name: str) -> None:
    with override_settings(ASGI_APPLICATION=f"{__name__}.{name}"):
        assert get_application() is app


def test_the_path_is_known_without_an_import() -> None:
    with override_settings(ASGI_APPLICATION="no.such.module.app"):
        assert get_application_path() == "no.such.module.app"


@pytest.mark.parametrize("path", [None, ""])
def test_an_unset_setting_is_reported(path: str | None) -> None:
    with (
        override_settings(ASGI_APPLICATION=path),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        get_application()

    assert str(caught.value) == (
        "The setting 'ASGI_APPLICATION' must name the FastAPI instance: "
        'ASGI_APPLICATION = "myproject.asgi.app".'
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nowhere.asgi.app", "No module named 'nowhere'"),
        (
            f"{__name__}.nothing",
            f'Module "{__name__}" does not define a "nothing" attribute/class',
        ),
        ("app", "app doesn't look like a module path"),
    ],
)
def test_a_failing_import_is_reported_with_its_reason(path: str, reason: str) -> None:
    with (
        override_settings(ASGI_APPLICATION=path),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        get_application()

    assert str(caught.value) == (
        f"ASGI_APPLICATION = '{path}' could not be imported: {reason}. It must be the dotted path "
        "of a FastAPI instance."
    )
    assert isinstance(caught.value.__cause__, ImportError)


def test_who_needs_the_application_while_it_is_imported_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = "from django_mullet.applications import get_application\nget_application()"
    (tmp_path / "half_imported.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)

    with (
        override_settings(ASGI_APPLICATION="half_imported.app"),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        get_application()

    assert str(caught.value) == (
        "ASGI_APPLICATION = 'half_imported.app' could not be imported: Module \"half_imported\" "
        'does not define a "app" attribute/class. It is needed while it is imported: modules that '
        "it imports must call 'reverse_lazy()', not 'reverse()', at import time."
    )


def test_something_that_is_no_fastapi_instance_is_reported() -> None:
    with (
        override_settings(ASGI_APPLICATION="tests.urls.urlpatterns"),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        get_application()

    assert str(caught.value) == (
        "ASGI_APPLICATION = 'tests.urls.urlpatterns' must name a FastAPI instance, not 'list': "
        "write 'urlpatterns = FastAPI()' and 'mount_django(urlpatterns)' in 'tests.urls'."
    )


def test_a_colon_is_told_to_be_a_dot() -> None:
    with (
        override_settings(ASGI_APPLICATION="project.asgi:app"),
        pytest.raises(ImproperlyConfigured) as caught,
    ):
        get_application()

    assert str(caught.value) == (
        "ASGI_APPLICATION = 'project.asgi:app' must have a dot where it has a colon: "
        "'project.asgi.app'."
    )
