"""Is a model that no schema shows refused, wherever an endpoint returns it, and nothing else?"""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject
from fastapi import APIRouter as PlainRouter
from fastapi import FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from django_mullet import APIRouter, UnshownModel

router = APIRouter()

WHAT_TO_WRITE = "Write 'response_model=UserSchema'"


class Open(BaseModel):
    value: Any


class Arbitrary(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    user: User


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    username: str


@dataclass
class Held:
    user: Any


class Rows(NamedTuple):
    user: Any


class OfUsers(TypedDict):
    user: User


@dataclass
class DataOfUsers:
    users: list[User]


def user() -> User:
    return User.objects.get()


RESULTS: dict[str, Callable[[], Any]] = {
    "instance": user,
    "lazy": lambda: SimpleLazyObject(user),
    "list": lambda: [user()],
    "later in a list": lambda: [1, user()],
    "tuple": lambda: (1, user()),
    "set": lambda: {user()},
    "generator": lambda: (each for each in [user()]),
    "dictionary": lambda: {"a": {"b": [user()]}},
    "dataclass": lambda: Held(user()),
    "named tuple": lambda: Rows(user()),
    "namespace": lambda: SimpleNamespace(user=user()),
    "queryset": User.objects.all,
    "empty queryset": User.objects.none,
    "evaluated": lambda: User.objects.all()[:1],
    "raw": lambda: User.objects.raw("SELECT * FROM auth_user"),
    "manager": lambda: User.objects,
    "related manager": lambda: {"groups": user().groups},
}

LOOSE: dict[str, Callable[[], Any]] = {
    "instance": user,
    "list": lambda: [user()],
    "dictionary": lambda: {"a": {"b": [user()]}},
    "lazy": lambda: [SimpleLazyObject(user)],
    "queryset": lambda: [User.objects.all()],
    "model": lambda: Open(value=user()),
    "arbitrary": lambda: Arbitrary(user=user()),
}


@pytest.fixture
def stored(transactional_db: None) -> User:
    return User.objects.create(username="ada", password=make_password("secret"))


def answer_of(router: Any, **kwargs: Any) -> Any:
    app = FastAPI()
    app.include_router(router)
    with TestClient(app, **kwargs) as client:
        return client.get("/")


def refused(add: Callable[[APIRouter], Any], error: type[Exception] = UnshownModel) -> str:
    """Return what the log says where the route that `add` adds is asked; nothing is answered."""
    router = APIRouter()
    add(router)
    with pytest.raises(error) as caught:
        answer_of(router)

    answer = answer_of(router, raise_server_exceptions=False)
    assert "pbkdf2" not in answer.text
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


@pytest.mark.parametrize("what", RESULTS)
@pytest.mark.parametrize("options", [{}, {"response_class": JSONResponse}, {"status_code": 201}])
def test_a_model_without_a_schema_is_refused(
    stored: User, what: str, options: dict[str, Any]
) -> None:
    def add(router: APIRouter) -> None:
        router.add_api_route("/", lambda: RESULTS[what](), **options)

    told = refused(add)

    assert "test_unshown" in told
    assert "of the model 'Group'" in told or WHAT_TO_WRITE in told


@pytest.mark.parametrize("what", ["instance", "list", "dictionary"])
def test_so_is_one_of_an_async_endpoint(stored: User, what: str) -> None:
    found = RESULTS[what]()

    def add(router: APIRouter) -> None:
        @router.get("/")
        async def endpoint() -> None:
            return found

        endpoint.__annotations__.clear()
        router.routes.clear()
        router.get("/")(endpoint)

    assert WHAT_TO_WRITE in refused(add)


def test_so_is_one_with_no_response_model(stored: User) -> None:
    def add(router: APIRouter) -> None:
        @router.get("/", response_model=None)
        def endpoint() -> User:
            return user()

    assert "endpoint' returns what is of the model 'User'" in refused(add)


@pytest.mark.parametrize("what", LOOSE)
@pytest.mark.parametrize("annotation", [Any, object])
def test_what_pydantic_cannot_write_is_told_with_what_to_write(
    stored: User, what: str, annotation: Any
) -> None:
    def add(router: APIRouter) -> None:
        router.add_api_route("/", lambda: LOOSE[what](), response_model=annotation)

    told = refused(add, PydanticSerializationError)

    assert "Schema'" in told
    assert "test_unshown" in told


def test_what_else_pydantic_cannot_write_is_left_to_it() -> None:
    def add(router: APIRouter) -> None:
        router.add_api_route("/", object, response_model=Any)

    assert "Schema" not in refused(add, PydanticSerializationError)


# Annotations


@pytest.mark.parametrize(
    "annotation",
    [
        User,
        list[User],
        dict[str, User],
        tuple[User, int],
        User | None,
        QuerySet,
        Iterator[User],
        Held | User,
        OfUsers,
        DataOfUsers,
    ],
)
def test_a_route_that_is_to_answer_with_models_is_refused(annotation: Any) -> None:
    def endpoint() -> Any: ...

    message = r"endpoint' returns what is of the model '(User|Model)'.*Write 'response_model="
    with pytest.raises(ImproperlyConfigured, match=message):
        APIRouter().get("/", response_model=annotation)(endpoint)

    endpoint.__annotations__["return"] = annotation
    with pytest.raises(ImproperlyConfigured, match=message):
        APIRouter().get("/")(endpoint)


def test_the_annotation_of_a_parameter_is_not_meant() -> None:
    def endpoint(user: User = Any) -> SimpleNamespace: ...  # type: ignore[assignment, empty-body]

    with pytest.raises(FastAPIError, match="Invalid args for response field"):
        APIRouter().get("/")(endpoint)


@pytest.mark.parametrize("annotation", [None, "Missing"])
def test_other_types_are_left_to_fastapi(annotation: Any) -> None:
    def endpoint() -> Any: ...

    endpoint.__annotations__["return"] = annotation
    with pytest.raises(FastAPIError, match="Invalid args for response field"):
        APIRouter().get("/", response_model=SimpleNamespace)(endpoint)


# Streams


def stream_of(items: Callable[[], list[Any]], *, is_async: bool) -> Callable[[], Any]:
    if is_async:
        found = items()

        async def endpoint():  # type: ignore[no-untyped-def]  # noqa: ANN202
            for item in found:
                yield item
    else:

        def endpoint():  # type: ignore[no-untyped-def]  # noqa: ANN202
            yield from items()

    return endpoint


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("options", "items"),
    [
        ({}, lambda: [user()]),
        ({}, lambda: [{"users": [user()]}]),
        ({"response_class": EventSourceResponse}, lambda: [user()]),
        ({"response_class": EventSourceResponse}, lambda: [ServerSentEvent(data=[user()])]),
    ],
)
def test_an_item_of_a_stream_is_refused(
    stored: User,
    options: dict[str, Any],
    items: Callable[[], list[Any]],
    is_async: bool,
) -> None:
    router = APIRouter()
    router.add_api_route("/", stream_of(items, is_async=is_async), **options)

    error = stream_error(router)

    assert WHAT_TO_WRITE in str(error)


def stream_error(router: Any) -> BaseException:
    with pytest.raises((UnshownModel, BaseExceptionGroup)) as caught:
        answer_of(router)
    error = _only(caught.value)
    assert isinstance(error, UnshownModel)
    return error


def _only(error: BaseException) -> BaseException:
    return _only(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def test_an_event_of_a_typed_stream_is_refused(stored: User) -> None:
    router = APIRouter()

    @router.get("/", response_class=EventSourceResponse)
    async def endpoint() -> AsyncIterator[Shown]:
        yield Shown(username="x")
        yield ServerSentEvent(data={"user": stored})  # type: ignore[misc]

    assert WHAT_TO_WRITE in str(stream_error(router))


def items() -> list[Any]:
    return [{"b": 1.5, "é": [None, True]}, "x", Open(value=1), Held(2), float("nan")]


def events() -> list[Any]:
    events = [ServerSentEvent(data=item, event="e", id="1") for item in items()]
    return [*events, ServerSentEvent(raw_data="raw"), ServerSentEvent(comment="c"), *items()]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("options", "items"), [({}, items), ({"response_class": EventSourceResponse}, events)]
)
def test_other_items_of_a_stream_are_what_fastapi_sends(
    options: dict[str, Any], items: Any, is_async: bool
) -> None:
    answers = []
    for router in (APIRouter(), PlainRouter()):
        router.add_api_route("/", stream_of(items, is_async=is_async), **options)
        answer = answer_of(router)
        answers.append((answer.status_code, answer.content, answer.headers["content-type"]))

    assert answers[0] == answers[1]
    assert answers[0][1]


# What is not refused


@pytest.mark.parametrize(
    "result",
    [
        {"b": 1.5, "é": [None, True, {"x"}]},
        Open(value=1),
        [Held(2)],
        Rows(1),
        SimpleNamespace(a=1),
        None,
        "x",
        JSONResponse({"a": 1}),
    ],
)
@pytest.mark.parametrize("options", [{}, {"response_class": JSONResponse}, {"status_code": 202}])
def test_other_results_are_what_fastapi_answers(result: Any, options: dict[str, Any]) -> None:
    answers = []
    for router in (APIRouter(), PlainRouter()):
        router.add_api_route("/", lambda: result, **options)
        answer = answer_of(router)
        answers.append((answer.status_code, answer.content, answer.headers["content-type"]))

    assert answers[0] == answers[1]


def test_a_pydantic_model_may_read_the_attributes(stored: User) -> None:
    router = APIRouter()
    router.add_api_route("/", user, response_model=Shown)

    assert answer_of(router).json() == {"username": "ada"}


ROWS = [{"id": 1, "username": "ada"}, {"id": 2, "username": "bob"}]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (lambda: User.objects.order_by("id").values("id", "username"), ROWS),
        (lambda: {"rows": [User.objects.order_by("id").values("id", "username")]}, None),
        (lambda: (User.objects.order_by("id").values_list("id", "username"),), None),
        (lambda: User.objects.order_by("id").values_list("id", flat=True), [1, 2]),
        (lambda: User.objects.none().values("id", "username"), []),
    ],
)
def test_the_rows_of_a_queryset_are_a_list(
    transactional_db: None, is_async: bool, result: Any, expected: Any
) -> None:
    for row in ROWS:
        User.objects.create(**row)
    router = APIRouter()

    async def endpoint():  # type: ignore[no-untyped-def]  # noqa: ANN202
        return result()

    router.add_api_route("/", endpoint if is_async else result)

    answer = answer_of(router)

    if expected is None:
        expected = {"rows": [ROWS]} if "rows" in answer.json() else [[[1, "ada"], [2, "bob"]]]
    assert (answer.status_code, answer.json()) == (200, expected)
