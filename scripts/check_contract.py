#!/usr/bin/env python3
"""Does a running goatfish keep its contract? Asks it over HTTP, as any client would.

    scripts/run &
    scripts/check_contract.py http://127.0.0.1:8000 --credentials example/.credentials.json

Prints one line per promise and exits with the number of broken ones.
"""

import json
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT = 60  # seconds
COLLECTION = "/api/simulation/"
BODY = {"name": "Contract", "start_date": "2026-01-01", "end_date": "2026-12-31"}
OTHER_BODY = {"name": "Lagoon 🐟", "start_date": "2027-02-01", "end_date": "2028-02-29"}
SHAPE = {"id", "name", "start_date", "end_date"}
NOT_FOUND = {"detail": "Object not found."}


class BrokenError(Exception):
    """A promise that does not hold; the message says what was seen."""


def expect(holds: bool, seen: object) -> None:
    if not holds:
        raise BrokenError(f"saw {str(seen)[:300]}")


##########
# HTTP
#


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    cookies: SimpleCookie
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise BrokenError(f"saw no JSON but {self}") from None

    @property
    def text(self) -> str:
        return self.body.decode()

    def __str__(self) -> str:
        return f"{self.status} {self.headers.get('content-type', '')} {self.body[:200]!r}"


class Client:
    """One request per connection, nothing followed and nothing corrected."""

    def __init__(self, base_url: str, **headers: str) -> None:
        self.host = urlsplit(base_url).netloc
        self.headers = headers

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        headers: dict[str, str | bytes] | None = None,
    ) -> Answer:
        send: dict[str, Any] = {**self.headers, **(headers or {})}
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            send.setdefault("Content-Type", "application/json")
        connection = HTTPConnection(self.host, timeout=TIMEOUT)
        try:
            connection.request(method, path, body=content, headers=send)
            return read(connection)
        except (BrokenPipeError, ConnectionResetError):
            # The server may answer, and hang up, before it has read a body that is too large.
            return read(connection)
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Answer:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)


def read(connection: HTTPConnection) -> Answer:
    response = connection.getresponse()
    cookies = SimpleCookie()
    for value in response.headers.get_all("Set-Cookie", []):
        cookies.load(value)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, cookies, response.read())


class Admin:
    """Django's admin, used through its forms."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self.client = Client(base_url)
        self.cookies: dict[str, str] = {}
        login = self.submit("/admin/login/", username=username, password=password, next="/admin/")
        expect(login.status == 302, login)

    def get(self, path: str) -> Answer:
        return self.keep(self.client.get(path, headers=self.headers()))

    def submit(self, path: str, **fields: str) -> Answer:
        form = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        expect(token is not None, form)
        data = urlencode({"csrfmiddlewaretoken": token[1] if token else "", **fields})
        headers = {**self.headers(), "Content-Type": "application/x-www-form-urlencoded"}
        return self.keep(self.client.post(path, content=data.encode(), headers=headers))

    def headers(self) -> dict[str, str | bytes]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def keep(self, answer: Answer) -> Answer:
        self.cookies |= {name: morsel.value for name, morsel in answer.cookies.items()}
        return answer


def input_value(page: str, name: str) -> str:
    """The value of the form's input of that name."""
    for tag in re.findall(r"<input[^>]*>", page):
        if f'name="{name}"' in tag and (value := re.search(r'value="([^"]*)"', tag)):
            return unescape(value[1])
    raise BrokenError(f"saw no input '{name}'")


##########
# The world that the checks find
#


@dataclass(frozen=True, slots=True)
class World:
    anonymous: Client
    api: Client
    stranger: Client
    stranger_id: str
    admin: Admin

    @contextmanager
    def simulation(self) -> Iterator[str]:
        """The path of a new simulation of the caller's."""
        path = f"{COLLECTION}{created(self.api.post(COLLECTION, body=BODY))['id']}/"
        try:
            yield path
        finally:
            self.api.delete(path)


def created(answer: Answer) -> dict[str, Any]:
    expect(answer.status in {200, 201}, answer)
    simulation: dict[str, Any] = answer.json
    return simulation


def ok(answer: Answer) -> Any:
    expect(answer.status == 200, answer)
    return answer.json


@contextmanager
def world(options: Namespace) -> Iterator[World]:
    """A second user comes, through the admin, and goes."""
    admin = Admin(options.base_url, options.admin_username, options.admin_password)
    stranger_id = add_user(admin, f"stranger-{token_hex(4)}")
    change = admin.get(f"/admin/main/user/{stranger_id}/change/")
    key = input_value(change.text, "api_key")
    try:
        yield World(
            anonymous=Client(options.base_url),
            api=Client(options.base_url, **{"X-API-Key": options.api_key}),
            stranger=Client(options.base_url, **{"X-API-Key": key}),
            stranger_id=stranger_id,
            admin=admin,
        )
    finally:
        if admin.get(f"/admin/main/user/{stranger_id}/change/").status == 200:
            admin.submit(f"/admin/main/user/{stranger_id}/delete/", post="yes")


def add_user(admin: Admin, username: str) -> str:
    password = token_urlsafe()
    answer = admin.submit(
        "/admin/main/user/add/",
        username=username,
        password1=password,
        password2=password,
        usable_password="true",
    )
    added = re.search(r"/admin/main/user/(\d+)/change/", answer.headers.get("location", ""))
    if added is None:
        raise BrokenError(f"saw {answer}")
    return added[1]


##########
# The promises
#

Check = Callable[[World], None]
CHECKS: list[tuple[str, Check]] = []


def promise(text: str) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        CHECKS.append((text, check))
        return check

    return register


@promise("project, app: the admin shows the app's models")
def _(world: World) -> None:
    page = world.admin.get("/admin/").text
    for model in ("user", "simulation"):
        expect(f'href="/admin/main/{model}/"' in page, f"no {model} in the admin")


@promise("User: an API key identifies the caller")
def _(world: World) -> None:
    mine, theirs = ok(world.api.get(COLLECTION)), ok(world.stranger.get(COLLECTION))
    expect(theirs == {"items": []}, theirs)
    expect(isinstance(mine["items"], list), mine)


@promise("Simulation: the primary key is a random string of 20 characters")
def _(world: World) -> None:
    ids = set()
    for _ in range(5):
        with world.simulation() as path:
            ids.add(ok(world.api.get(path))["id"])
    expect(len(ids) == 5 and all(re.fullmatch(r"[0-9A-Za-z]{20}", id_) for id_ in ids), ids)


@promise("Simulation: the primary key is not editable")
def _(world: World) -> None:
    page = world.admin.get("/admin/main/simulation/add/").text
    expect('name="name"' in page and 'name="id"' not in page, "an input 'id' in the admin")


@promise("Simulation: a name has at most 300 characters, none of them lost")
def _(world: World) -> None:
    with world.simulation() as path:
        longest = "é🐟" * 150
        answer = ok(world.api.put(path, body={**BODY, "name": longest}))
        expect(answer["name"] == longest == ok(world.api.get(path))["name"], answer)
        refused = world.api.put(path, body={**BODY, "name": longest + "x"})
        expect(refused.status == 422, refused)


@promise("Simulation: any dates, the first and the last included")
def _(world: World) -> None:
    with world.simulation() as path:
        dates = {"start_date": "0001-01-01", "end_date": "9999-12-31"}
        expect(ok(world.api.put(path, body={**BODY, **dates})).items() >= dates.items(), dates)


@promise("Simulation: made in the admin, it is in the API, and 'view on site' leads there")
def _(world: World) -> None:
    fields = {"user": world.stranger_id, **BODY}
    answer = world.admin.submit("/admin/main/simulation/add/", **fields)
    expect(answer.status == 302, answer)
    [item] = ok(world.stranger.get(COLLECTION))["items"]
    expect(item == {"id": item["id"], **BODY}, item)
    page = world.admin.get(f"/admin/main/simulation/{item['id']}/change/").text
    link = re.search(r'href="(/admin/r/\d+/\w+/)"', page)
    if link is None:
        raise BrokenError("saw no link 'View on site'")
    target = world.admin.get(link[1]).headers.get("location", "")
    expect(target.endswith(f"{COLLECTION}{item['id']}/"), target)
    ok(world.stranger.delete(f"{COLLECTION}{item['id']}/"))


@promise("simulations-get: 200 and the caller's own only")
def _(world: World) -> None:
    theirs = created(world.stranger.post(COLLECTION, body=BODY))
    with world.simulation() as path:
        answer = ok(world.api.get(COLLECTION))
        expect(set(answer) == {"items"}, answer)
        expect(all(set(item) == SHAPE for item in answer["items"]), answer)
        ids = [item["id"] for item in answer["items"]]
        expect(path.split("/")[-2] in ids, ids)
        expect(theirs["id"] not in ids, ids)
    expect(ok(world.stranger.get(COLLECTION)) == {"items": [theirs]}, theirs)


@promise("simulations-post: the created object")
def _(world: World) -> None:
    answer = created(world.api.post(COLLECTION, body=BODY))
    expect(answer == {"id": answer.get("id"), **BODY}, answer)
    expect(ok(world.api.delete(f"{COLLECTION}{answer['id']}/")) == answer, answer)


@promise("simulations-post: a client-sent id never becomes the id, nor a user the user")
def _(world: World) -> None:
    sent = {"id": "x" * 20, "user": world.stranger_id, "user_id": world.stranger_id}
    answer = created(world.api.post(COLLECTION, body={**BODY, **sent}))
    expect(answer["id"] != sent["id"], answer)
    ok(world.api.delete(f"{COLLECTION}{answer['id']}/"))


@promise("simulation-get: the object")
def _(world: World) -> None:
    with world.simulation() as path:
        expect(ok(world.api.get(path)) == {"id": path.split("/")[-2], **BODY}, path)


@promise("simulation-put: the updated object, of the same id")
def _(world: World) -> None:
    with world.simulation() as path:
        expected = {"id": path.split("/")[-2], **OTHER_BODY}
        answer = ok(world.api.put(path, body={"id": "x" * 20, **OTHER_BODY}))
        expect(answer == expected == ok(world.api.get(path)), answer)


@promise("simulation-delete: the deleted object, which then is gone")
def _(world: World) -> None:
    with world.simulation() as path:
        expect(ok(world.api.delete(path)) == {"id": path.split("/")[-2], **BODY}, path)
        for answer in (world.api.get(path), world.api.delete(path), put(world, path)):
            expect((answer.status, answer.json) == (404, NOT_FOUND), answer)


@promise("simulation-*: 404 for somebody else's, which stays as it is")
def _(world: World) -> None:
    with world.simulation() as path:
        for method, body in (("GET", None), ("PUT", OTHER_BODY), ("DELETE", None)):
            answer = world.stranger.request(method, path, body=body)
            expect((answer.status, answer.json) == (404, NOT_FOUND), answer)
        expect(ok(world.api.get(path))["name"] == BODY["name"], path)


@promise("simulation-*: 404 for ids that do not exist or cannot exist")
def _(world: World) -> None:
    strange = ("nope", "x" * 21, "x" * 5000, "%00", "a%00b", "%FF", "%ED%A0%80", "%F0%9F%90%9F",
               "'%20OR%201=1--", "..%2F", "%0A", "%25", "0", "null")  # fmt: skip
    for simulation_id in strange:
        answer = world.api.get(f"{COLLECTION}{simulation_id}/")
        expect(answer.status in {404, 422} and "detail" in answer.json, (simulation_id, answer))


def put(world: World, path: str) -> Answer:
    return world.api.put(path, body=BODY)


@promise("auth: without a key 401, 'detail' and WWW-Authenticate, on every route")
def _(world: World) -> None:
    for method in ("GET", "POST"):
        refused(world.anonymous.request(method, COLLECTION, body=BODY))
    for method in ("GET", "PUT", "DELETE"):
        refused(world.anonymous.request(method, f"{COLLECTION}nope/", body=BODY))


@promise("auth: the same for wrong keys, whatever their bytes")
def _(world: World) -> None:
    keys = (b"wrong", b"", b" ", b"x" * 5000, b"g\xe4st", b"\xff\xfe", "🐟".encode(), b"%00", b"'")
    for key in keys:
        refused(world.anonymous.get(COLLECTION, headers={"X-API-Key": key}))


@promise("auth: a session of the admin is no API key")
def _(world: World) -> None:
    refused(world.admin.get(COLLECTION))


def refused(answer: Answer) -> None:
    expect(answer.status == 401, answer)
    expect(answer.json == {"detail": "X-API-Key header invalid."}, answer)
    expect(bool(answer.headers.get("www-authenticate")), answer.headers)


@promise("auth: a control character in the key gets a 4xx, not a crash")
def _(world: World) -> None:
    answer = raw(world, b"GET /api/simulation/ HTTP/1.1\r\nHost: localhost\r\n"
                        b"X-API-Key: a\x00b\r\nConnection: close\r\n\r\n")  # fmt: skip
    expect(400 <= answer < 500, answer)


def raw(world: World, request: bytes) -> int:
    """The status of the answer to exactly these bytes."""
    connection = HTTPConnection(world.anonymous.host, timeout=TIMEOUT)
    connection.connect()
    try:
        connection.sock.sendall(request)
        return int(connection.sock.recv(100).split()[1])
    finally:
        connection.close()


@promise("docs: /api/docs is an interactive page whose files are served here")
def _(world: World) -> None:
    page = world.anonymous.get("/api/docs")
    expect(page.status == 200 and "/api/openapi.json" in page.text, page)
    files = re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', page.text)
    expect(len(files) >= 2 and all(file.startswith("/") for file in files), files)
    for file in files:
        answer = world.anonymous.get(file)
        expect(answer.status == 200 and answer.body != b"", (file, answer))


@promise("docs: /api/openapi.json has the title and the description")
def _(world: World) -> None:
    info = ok(world.anonymous.get("/api/openapi.json"))["info"]
    expect(info["title"] == "Goatfish", info)
    expect(info["description"] == "A demo project. Also, an actual fish with a weird name.", info)


@promise("docs: every route is tagged, has a summary, a response model and wants the key")
def _(world: World) -> None:
    document = ok(world.anonymous.get("/api/openapi.json"))
    paths = document["paths"]
    expect(set(paths) == {COLLECTION, COLLECTION + "{simulation_id}/"}, set(paths))
    expect(set(paths[COLLECTION]) == {"get", "post"}, paths)
    expect(set(paths[COLLECTION + "{simulation_id}/"]) == {"get", "put", "delete"}, paths)
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    expect((scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-API-Key"),
           scheme)  # fmt: skip
    for operation in (operation for path in paths.values() for operation in path.values()):
        expect(operation["tags"] == ["simulations"] and bool(operation["summary"]), operation)
        expect(operation["security"] == [{name: []}], operation)
        success = next(value for key, value in operation["responses"].items() if key[0] == "2")
        expect("$ref" in success["content"]["application/json"]["schema"], operation)


@promise("docs: the body of a request has no id")
def _(world: World) -> None:
    document = ok(world.anonymous.get("/api/openapi.json"))
    body = document["paths"][COLLECTION]["post"]["requestBody"]["content"]["application/json"]
    schema = document["components"]["schemas"][body["schema"]["$ref"].split("/")[-1]]
    expect(set(schema["properties"]) == set(BODY) == set(schema["required"]), schema)


##########
# Bad input
#


@promise("bad input: fields that are missing, of another type or out of bounds get 422")
def _(world: World) -> None:
    no_values: list[object] = [None, True, [], {}]
    no_names = [*no_values, "", "x" * 301, "nul\x00", 5, ["a"]]
    no_dates = [*no_values, "", "yesterday", "2026-02-30", "2026-13-01", "2026-1-1"]
    no_dates += ["0000-01-01", "10000-01-01", "-2026-01-01", "2026-01-01T12:00:00"]
    bad = {"name": no_names, "start_date": no_dates, "end_date": no_dates}
    for field, values in bad.items():
        without = {key: value for key, value in BODY.items() if key != field}
        bodies = [without, *({**BODY, field: value} for value in values)]
        unprocessable(world, *(json.dumps(body).encode() for body in bodies))


@promise("bad input: JSON that is no object gets 422")
def _(world: World) -> None:
    unprocessable(world, b"null", b"5", b'"text"', b"[]", b"[{}]", b"true", b"{}", b"")


@promise("bad input: malformed JSON gets 400 or 422")
def _(world: World) -> None:
    contents = (b"{", b"}", b'{"name": }', b"{'name': 1}", b"\x00", b"\xff\xfe\xfd", b"name=x",
                b'{"name": "\x00"}', b"{}{}", b"9" * 5000)  # fmt: skip
    client_error(world, {400, 422}, *contents)


@promise("bad input: lone surrogates get 422")
def _(world: World) -> None:
    rest = b'"start_date": "2026-01-01", "end_date": "2026-12-31"}'
    unprocessable(
        world,
        b'{"name": "\\ud800", ' + rest,
        b'{"name": "a\\udfffb", ' + rest,
        b'{"name": "x", "start_date": "\\ud800", "end_date": "2026-12-31"}',
        b'{"\\ud800": 1}',
    )


@promise("bad input: NaN, Infinity and numbers too large get 422")
def _(world: World) -> None:
    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 400):
        unprocessable(
            world,
            b'{"name": ' + number + b', "start_date": "2026-01-01", "end_date": "2026-12-31"}',
            b'{"name": "x", "start_date": ' + number + b', "end_date": "2026-12-31"}',
        )


@promise("bad input: JSON 100,000 deep gets 400 or 422")
def _(world: World) -> None:
    deep = 100_000
    objects = b'{"name":' * deep + b"1" + b"}" * deep
    client_error(world, {400, 422}, b"[" * deep + b"]" * deep, b"[" * deep, objects[: 2**20])
    client_error(world, {400, 422}, b'{"name": ' + b"[" * 900 + b"]" * 900 + b"}")


@promise("bad input: a body of 20 MB gets 413")
def _(world: World) -> None:
    client_error(world, {413}, b'{"name": "' + b"x" * 20_000_000 + b'"}')


@promise("bad input: a body of another type gets 4xx")
def _(world: World) -> None:
    kinds = ("text/plain", "application/x-www-form-urlencoded", "application/xml", ";;;", "a/b/c",
             "multipart/form-data", "application/octet-stream")  # fmt: skip
    for kind in kinds:
        for content in (b"\xff\xfe", b"name=x", json.dumps(BODY).encode()):
            answer = world.api.post(COLLECTION, content=content, headers={"Content-Type": kind})
            expect(400 <= answer.status < 500 and "detail" in answer.json, (kind, answer))


@promise("bad input: nothing of all this was stored")
def _(world: World) -> None:
    names = [item["name"] for item in ok(world.api.get(COLLECTION))["items"]]
    expect("Contract" not in names and "x" not in names, names)


def unprocessable(world: World, *contents: bytes) -> None:
    client_error(world, {422}, *contents)


def client_error(world: World, statuses: set[int], *contents: bytes) -> None:
    """Each content, created and put, gets one of the statuses and leaves the object alone."""
    with world.simulation() as path:
        for content in contents:
            for answer in (
                world.api.post(COLLECTION, content=content),
                world.api.put(path, content=content),
            ):
                expect(answer.status in statuses, (content[:60], answer))
                if answer.status != 413:
                    expect(bool(answer.json["detail"]), (content[:60], answer))
        expect(ok(world.api.get(path)) == {"id": path.split("/")[-2], **BODY}, path)


##########
# HTTP itself
#


@promise("methods: those that a path does not have get 405, and Allow with the others")
def _(world: World) -> None:
    with world.simulation() as path:
        for target, absent, present in (
            (COLLECTION, "PUT PATCH DELETE", "GET, POST"),
            (path, "POST PATCH", "DELETE, GET, PUT"),
        ):
            for method in absent.split():
                answer = world.api.request(method, target, body=BODY)
                expect(answer.status == 405, (method, target, answer))
                expect(answer.headers.get("allow") == present, (method, target, answer.headers))
                expect("detail" in answer.json, answer)


@promise("methods: HEAD and OPTIONS get an answer that is no crash, HEAD without a body")
def _(world: World) -> None:
    for path in (COLLECTION, f"{COLLECTION}nope/", "/api/docs", "/api/openapi.json", "/admin/"):
        head = world.api.request("HEAD", path)
        expect(head.status < 500 and head.body == b"", (path, head))
        options = world.api.request("OPTIONS", path)
        expect(options.status < 500, (path, options))


@promise("slash: /api/simulation leads to /api/simulation/")
def _(world: World) -> None:
    for method in ("GET", "POST"):
        answer = world.api.request(method, COLLECTION.rstrip("/"), body=BODY)
        expect(answer.status in {307, 308}, answer)
        expect(urlsplit(answer.headers["location"]).path == COLLECTION, answer.headers)


@promise("unknown: /api/nope is the API's 404, /nope is Django's")
def _(world: World) -> None:
    for path in ("/api/nope", "/api/nope/", "/api/"):
        answer = world.anonymous.get(path)
        expect((answer.status, answer.json) == (404, {"detail": "Not Found"}), (path, answer))
    answer = world.anonymous.get("/nope")
    expect(answer.status == 404 and answer.headers["content-type"].startswith("text/html"), answer)


@promise("admin: leads to the login, and its files are served")
def _(world: World) -> None:
    answer = world.anonymous.get("/admin/")
    expect(answer.status == 302, answer)
    expect(answer.headers["location"] == "/admin/login/?next=/admin/", answer.headers)
    style = world.anonymous.get("/static/admin/css/base.css")
    expect(style.status == 200 and style.headers["content-type"].startswith("text/css"), style)
    missing = world.anonymous.get("/static/nope.css")
    expect(missing.status == 404, missing)


@promise("admin: a form without its token is refused")
def _(world: World) -> None:
    answer = world.anonymous.post(
        "/admin/login/",
        content=b"username=a&password=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    expect(answer.status == 403, answer)


@promise("Simulation: cascade, a user's simulations and key go with the user")
def _(world: World) -> None:
    path = f"{COLLECTION}{created(world.stranger.post(COLLECTION, body=BODY))['id']}/"
    answer = world.admin.submit(f"/admin/main/user/{world.stranger_id}/delete/", post="yes")
    expect(answer.status == 302, answer)
    refused(world.stranger.get(path))
    gone = world.admin.get(f"/admin/main/simulation/{path.split('/')[-2]}/change/")
    expect(gone.status in {302, 404}, gone)


##########
# The command
#


def main() -> int:
    options = parse_arguments()
    try:
        with world(options) as found:
            kept = [keeps(found, text, check) for text, check in CHECKS]
    except (BrokenError, OSError) as error:
        print(f"FAIL  a user added in the admin, to check with\n      {error}")
        return 1
    print(f"{kept.count(True)} passed, {kept.count(False)} failed")
    return min(kept.count(False), 100)


def keeps(world: World, text: str, check: Check) -> bool:
    try:
        check(world)
    # What the code that reads an answer raises when the answer is not what it expects.
    except (BrokenError, HTTPException, LookupError, OSError, TypeError, ValueError) as error:
        print(f"FAIL  {text}\n      {type(error).__name__}: {error}")
        return False
    print(f"ok    {text}")
    return True


def parse_arguments() -> Namespace:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("base_url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--credentials", type=Path, help="the file that scripts/run wrote")
    parser.add_argument("--api-key")
    parser.add_argument("--admin-username", default="admin")
    parser.add_argument("--admin-password")
    options = parser.parse_args()
    if options.credentials:
        credentials = json.loads(options.credentials.read_text())
        options.api_key = options.api_key or credentials["api_key"]
        options.admin_password = options.admin_password or credentials["admin_password"]
    if not (options.api_key and options.admin_password):
        parser.error("name --credentials, or both --api-key and --admin-password")
    return options


if __name__ == "__main__":
    sys.exit(main())
