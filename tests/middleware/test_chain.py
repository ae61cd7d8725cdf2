"""Does each kind of middleware run around each kind of endpoint, where it should?"""

import threading

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from django_mullet import APIRouter
from tests.django_middleware import noted
from tests.middleware.serving import GZIP, PATHS, client, everything, named

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", PATHS)
def test_middleware_with_phases_runs_around_the_endpoint(path: str) -> None:
    answer = everything("Phases").get(path)

    assert answer.json()["seen"] == "middleware"
    assert answer.headers["x-phases"] == "endpoint"
    assert noted[0] == "request worker"
    assert noted[1].startswith("view ")
    assert noted[1].endswith(" () {'number': '7'}")
    assert noted[3] == "response 200 worker"


@pytest.mark.parametrize("path", PATHS)
def test_a_function_runs_around_the_endpoint(path: str) -> None:
    answer = everything("function", "Phases", "other_function").get(path)

    assert answer.json()["seen"] == "middleware"
    assert answer.headers["x-function"] == "endpoint"
    assert (noted[0], noted[-3:]) == (
        "before worker",
        ["finally", "response 200 worker", "after worker"],
    )


def test_an_endpoint_runs_where_it_would_without_middleware() -> None:
    api = everything("function", "Phases")

    for path in PATHS:
        api.get(path)

    assert [line for line in noted if line.startswith(("def", "async", "waiting"))] == [
        "def worker",
        "async loop",
        "waiting loop worker",
    ]


def test_what_can_be_asynchronous_is_if_the_route_is() -> None:
    api = everything("either")

    api.get("/def/1")
    api.get("/async/1")

    assert noted == [
        "sync before worker",
        "def worker",
        "sync after worker",
        "async before loop",
        "async loop",
        "async after loop",
    ]


@pytest.mark.parametrize("path", PATHS)
def test_asynchronous_middleware_runs_around_every_endpoint(path: str) -> None:
    answer = everything("function", "AsyncOnly", "other_function", "either").get(path)

    assert answer.headers["x-async"] == "loop"
    assert "async view loop" in noted


@pytest.mark.django_db(transaction=True)
def test_asynchronous_middleware_has_the_worker_of_a_synchronous_endpoint() -> None:
    router = APIRouter(django_middleware=named("thread"))

    @router.get("/")
    def root() -> str:
        User.objects.exists()
        return threading.current_thread().name

    answer = client(router).get("/")

    assert answer.headers["x-is-kept"] == "True"
    assert answer.headers["x-thread"] == answer.json()


@pytest.mark.parametrize("path", PATHS)
def test_phases_inside_of_asynchronous_middleware_run_in_the_worker(path: str) -> None:
    everything("AsyncOnly", "Phases").get(path)

    assert (noted[0], noted[-1]) == ("request worker", "response 200 worker")


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_what_a_test_s_transaction_holds_is_there_on_each_side(path: str) -> None:
    User.objects.create_user("anna")

    assert everything("count_users", "function").get(path).headers["x-users"] == "1 1"


@pytest.mark.parametrize("path", PATHS)
def test_a_mixin_with_a_call_of_its_own_is_called(path: str) -> None:
    assert everything("OwnCall").get(path).headers["x-own"] == "worker"


def test_middleware_that_is_not_used_is_left_out() -> None:
    assert everything("not_used", "Phases").get("/def/1").headers["x-phases"] == "endpoint"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "returns_none",
            "Middleware factory 'tests.django_middleware.returns_none' returned None.",
        ),
        (
            "neither",
            (
                "Middleware 'tests.django_middleware.neither' must have at least one of "
                "sync_capable "
                "and async_capable set to True."
            ),
        ),
    ],
)
def test_wrong_middleware_is_reported(name: str, message: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        everything(name).get("/def/1")

    assert str(caught.value) == message


def test_one_path_is_no_list() -> None:
    with pytest.raises(TypeError) as caught:
        APIRouter(django_middleware=GZIP)

    assert str(caught.value) == (
        "'django_middleware' must be True, False or a list of dotted paths, not "
        f"'{GZIP}': write ['{GZIP}']."
    )
