"""The promises of the API, the admin and the commands, on Django's plain `TestCase`."""

# ruff: noqa: PT009, PT027 -- `manage.py test` explains unittest's assertions, not bare ones.

import asyncio
import json
import stat
import time
from contextlib import closing
from datetime import date
from io import StringIO
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

import httpx
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings
from django.urls import reverse
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from django_mullet import Create
from goatfish import databases
from goatfish.asgi import app
from main.models import APISimulation, APISimulations, Simulation, User

BODY = {"name": "Reef", "start_date": "2026-01-01", "end_date": "2026-12-31"}
JSON = {"Content-Type": "application/json"}

hash_fast = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


def create_simulation(user: User, name: str = "Reef") -> Simulation:
    return Simulation.objects.create(
        user=user, name=name, start_date=date(2026, 1, 1), end_date=date(2026, 12, 31)
    )


class APITestCase(TestCase):
    user: User
    stranger: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = User.objects.create_user("user")
        cls.stranger = User.objects.create_user("stranger")

    def setUp(self) -> None:
        # Django's own client stays `self.client`.
        self.api = TestClient(app, headers={"X-API-Key": self.user.api_key})


class SimulationTests(APITestCase):
    def test_list_holds_only_the_callers_own(self) -> None:
        simulation = create_simulation(self.user)
        create_simulation(self.stranger)

        response = self.api.get(reverse("simulations-get"))

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"items": [{"id": simulation.id, **BODY}]})

    def test_list_takes_as_many_queries_for_many_as_for_none(self) -> None:
        for name in ("Reef", "Lagoon", "Wreck"):
            create_simulation(self.user, name)

        # The user and the simulations, between the two ends of the request's transaction.
        with self.assertNumQueries(4):
            response = self.api.get(reverse("simulations-get"))

        self.assertEqual(len(response.json()["items"]), 3)

    def test_post_creates(self) -> None:
        response = self.api.post(reverse("simulations-post"), json=BODY)

        simulation = self.user.simulation_set.get()
        self.assertEqual(response.json(), {"id": simulation.id, **BODY})
        self.assertEqual(len(simulation.id), 20)
        self.assertEqual(simulation.end_date, date(2026, 12, 31))

    def test_client_cannot_choose_the_id(self) -> None:
        response = self.api.post(reverse("simulations-post"), json={"id": "mine", **BODY})

        self.assertNotEqual(response.json()["id"], "mine")
        self.assertFalse(Simulation.objects.filter(id="mine").exists())

    def test_client_cannot_choose_the_user(self) -> None:
        self.api.post(reverse("simulations-post"), json={"user": self.stranger.pk, **BODY})

        self.assertEqual(Simulation.objects.get().user, self.user)

    def test_get(self) -> None:
        simulation = create_simulation(self.user)

        response = self.api.get(simulation.get_absolute_url())

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"id": simulation.id, **BODY})

    def test_put_updates_and_answers_the_updated(self) -> None:
        simulation = create_simulation(self.user)
        body = {"name": "Lagoon", "start_date": "2027-01-01", "end_date": "2028-02-29"}

        response = self.api.put(simulation.get_absolute_url(), json={"id": "other", **body})

        self.assertEqual(response.json(), {"id": simulation.id, **body})
        simulation.refresh_from_db()
        self.assertEqual(simulation.name, "Lagoon")
        self.assertEqual(Simulation.objects.count(), 1)

    def test_delete_answers_the_deleted(self) -> None:
        simulation = create_simulation(self.user)

        response = self.api.delete(simulation.get_absolute_url())

        self.assertEqual(response.json(), {"id": simulation.id, **BODY})
        self.assertFalse(Simulation.objects.exists())

    def test_somebody_elses_is_not_found(self) -> None:
        url = create_simulation(self.stranger).get_absolute_url()

        for response in (self.api.get(url), self.api.put(url, json=BODY), self.api.delete(url)):
            self.assertEqual(response.status_code, 404)
            self.assertEqual(response.json(), {"detail": "Object not found."})
        self.assertEqual(Simulation.objects.get().user, self.stranger)

    def test_ids_that_cannot_exist_are_not_found(self) -> None:
        for simulation_id in ("nope", "x" * 5000, "%00", "%ED%A0%80", "%FF", "%F0%9F%90%9F"):
            with self.subTest(simulation_id[:20]):
                response = self.api.get(f"/api/simulation/{simulation_id}/")

                self.assertEqual(response.status_code, 404)
                self.assertEqual(response.json(), {"detail": "Object not found."})

    def test_failing_endpoint_leaves_nothing_behind(self) -> None:
        save = Simulation.save

        def save_and_fail(simulation: Simulation) -> None:
            save(simulation)
            raise DatabaseError("The disk is full.")

        with patch.object(Simulation, "save", save_and_fail), self.assertRaises(DatabaseError):
            self.api.post(reverse("simulations-post"), json=BODY)

        self.assertFalse(Simulation.objects.exists())


class ValidationTests(APITestCase):
    def test_body_must_fit(self) -> None:
        for change in (
            {"name": ""},
            {"name": "x" * 301},
            {"name": None},
            {"name": 5},
            {"name": "nul\x00"},
            {"start_date": "2026-02-30"},
            {"start_date": "yesterday"},
            {"end_date": True},
        ):
            with self.subTest(str(change)[:40]):
                response = self.api.post(reverse("simulations-post"), json={**BODY, **change})

                self.assertEqual(response.status_code, 422)
                [error] = response.json()["detail"]
                self.assertEqual(error["loc"], ["body", *change])
        self.assertFalse(Simulation.objects.exists())

    def test_body_that_json_cannot_say_again(self) -> None:
        for content in (b'{"name": "\\ud800"}', b'{"name": NaN}', b'{"\\udfff": 1e999}'):
            with self.subTest(content):
                response = self.api.post(reverse("simulations-post"), content=content, headers=JSON)

                self.assertEqual(response.status_code, 422)
                self.assertTrue(response.json()["detail"])

    def test_body_that_is_no_json(self) -> None:
        for content in (b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b'"' + b"x" * 2**21):
            with self.subTest(content[:10]):
                response = self.api.post(reverse("simulations-post"), content=content, headers=JSON)

                self.assertIn(response.status_code, {400, 413, 422})

    def test_longest_name(self) -> None:
        body = {**BODY, "name": "🐟" * 300}

        response = self.api.post(reverse("simulations-post"), json=body)

        self.assertEqual(response.status_code, 200)
        self.assertEqual(Simulation.objects.get().name, "🐟" * 300)


class AuthenticationTests(APITestCase):
    def test_key_must_be_somebodys(self) -> None:
        for key in ("wrong", "", "nul\x00", "gäst", "x" * 500):
            with self.subTest(key[:20]):
                response = TestClient(app).get(
                    reverse("simulations-get"), headers={b"X-API-Key": key.encode("latin-1")}
                )

                self.assertInvalid(response)

    def test_missing_key(self) -> None:
        self.assertInvalid(TestClient(app).get(reverse("simulations-get")))

    def test_missing_key_is_told_before_a_missing_simulation(self) -> None:
        self.assertInvalid(TestClient(app).get("/api/simulation/nope/"))

    def test_inactive_user(self) -> None:
        User.objects.filter(pk=self.user.pk).update(is_active=False)

        self.assertInvalid(self.api.get(reverse("simulations-get")))

    def assertInvalid(self, response: Any) -> None:  # noqa: N802 (unittest's own fashion)
        self.assertEqual(response.status_code, 401)
        self.assertEqual(response.json(), {"detail": "X-API-Key header invalid."})
        self.assertEqual(response.headers["WWW-Authenticate"], "APIKey")


class AsyncTests(APITestCase):
    async def test_async_client(self) -> None:
        async with self.async_api() as api:
            created = await api.post(reverse("simulations-post"), json=BODY)
            listed = await api.get(reverse("simulations-get"))

        self.assertEqual(listed.json(), {"items": [created.json()]})
        self.assertEqual(await self.user.simulation_set.acount(), 1)

    async def test_concurrent_requests(self) -> None:
        async with self.async_api() as api:
            responses = await asyncio.gather(
                *(api.post(reverse("simulations-post"), json=BODY) for _ in range(10))
            )

        self.assertEqual({response.status_code for response in responses}, {200})
        self.assertEqual(await self.user.simulation_set.acount(), 10)

    def async_api(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://testserver",
            headers={"X-API-Key": self.user.api_key},
        )


class DjangoClientTests(APITestCase):
    def test_reaches_the_api(self) -> None:
        simulation = create_simulation(self.user)

        response = self.client.get(
            reverse("simulation-get", kwargs={"simulation_id": simulation.id}),
            headers={"X-API-Key": self.user.api_key},
        )

        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json(), {"id": simulation.id, **BODY})


class OpenAPITests(SimpleTestCase):
    def setUp(self) -> None:
        self.document = app.openapi()

    def test_title_and_description(self) -> None:
        self.assertEqual(self.document["info"]["title"], "Goatfish")
        self.assertEqual(
            self.document["info"]["description"],
            "A demo project. Also, an actual fish with a weird name.",
        )

    def test_every_operation_is_described_and_wants_the_key(self) -> None:
        operations = [
            operation for path in self.document["paths"].values() for operation in path.values()
        ]

        self.assertEqual(len(operations), 5)
        for operation in operations:
            self.assertEqual(operation["tags"], ["simulations"])
            self.assertTrue(operation["summary"])
            self.assertIn(
                "$ref", operation["responses"]["200"]["content"]["application/json"]["schema"]
            )
            self.assertEqual(operation["security"], [{"APIKeyHeader": []}])

    def test_security_scheme(self) -> None:
        [scheme] = self.document["components"]["securitySchemes"].values()

        self.assertEqual(
            (scheme["type"], scheme["in"], scheme["name"]), ("apiKey", "header", "X-API-Key")
        )

    def test_body_has_no_id(self) -> None:
        schemas = self.document["components"]["schemas"]

        self.assertEqual(set(schemas["APISimulationCreate"]["properties"]), set(BODY))
        self.assertEqual(set(schemas["APISimulation"]["properties"]), {"id", *BODY})


@hash_fast
class AroundTheAPITests(APITestCase):
    def test_documentation_page(self) -> None:
        response = self.api.get("/api/docs")

        self.assertEqual(response.status_code, 200)
        self.assertIn("/api/openapi.json", response.text)

    def test_front_page_leads_to_the_documentation(self) -> None:
        self.assertRedirects(self.client.get("/"), "/api/docs")

    def test_unknown_paths(self) -> None:
        api, elsewhere = self.api.get("/api/nope"), self.api.get("/nope")

        self.assertEqual((api.status_code, elsewhere.status_code), (404, 404))
        self.assertEqual(api.json(), {"detail": "Not Found"})
        self.assertIn("text/html", elsewhere.headers["Content-Type"])

    def test_admin_asks_for_a_login(self) -> None:
        response = self.api.get("/admin/", follow_redirects=False)

        self.assertRedirects(self.client.get("/admin/"), "/admin/login/?next=/admin/")
        self.assertEqual(response.headers["Location"], "/admin/login/?next=/admin/")

    def test_admin_finds_a_simulation_in_the_api(self) -> None:
        admin = User.objects.create_superuser("admin", password="let me in")
        simulation = create_simulation(self.user)
        self.assertTrue(self.client.login(username="admin", password="let me in"))

        response = self.client.get(reverse("admin:main_simulation_change", args=[simulation.id]))
        on_site = self.client.get(response.context["absolute_url"])

        self.assertContains(response, "View on site")
        self.assertTrue(on_site["Location"].endswith(f"/api/simulation/{simulation.id}/"))
        self.assertContains(
            self.client.get(reverse("admin:main_user_change", args=[admin.pk])), admin.api_key
        )

    def test_static_files_are_found(self) -> None:
        self.assertTrue(finders.find("admin/css/base.css"))


class ModelTests(APITestCase):
    body = TypeAdapter(Create[APISimulation]).validate_python(BODY)

    def test_from_api_does_not_save(self) -> None:
        simulation = Simulation.from_api(self.body, user=self.user)

        self.assertEqual((simulation.user, simulation.name), (self.user, "Reef"))
        self.assertFalse(Simulation.objects.exists())

    def test_update_from_api_does_not_save(self) -> None:
        simulation = create_simulation(self.user, "Lagoon")

        simulation.update_from_api(self.body)

        self.assertEqual(str(simulation), "Reef")
        self.assertEqual(str(Simulation.objects.get()), "Lagoon")

    def test_from_model(self) -> None:
        simulation = create_simulation(self.user)

        self.assertEqual(
            APISimulation.from_model(simulation).model_dump(mode="json"),
            {"id": simulation.id, **BODY},
        )

    def test_from_qs(self) -> None:
        create_simulation(self.user, "Reef")
        create_simulation(self.stranger, "Lagoon")

        with self.assertNumQueries(1):
            simulations = APISimulations.from_qs(Simulation.objects.all())

        self.assertEqual([item.name for item in simulations.items], ["Lagoon", "Reef"])

    def test_id_is_random_and_not_editable(self) -> None:
        ids = {Simulation().id for _ in range(100)}

        self.assertEqual(len(ids), 100)
        self.assertFalse(Simulation._meta.get_field("id").editable)

    def test_simulations_go_with_their_user(self) -> None:
        create_simulation(self.user)

        self.user.delete()

        self.assertFalse(Simulation.objects.exists())

    def test_migrations_are_complete(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@hash_fast
class DemoTests(TestCase):
    def setUp(self) -> None:
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = Path(directory.name) / "credentials.json"
        self.enterContext(self.settings(CREDENTIALS_FILE=self.file))

    def test_credentials_let_in(self) -> None:
        self.create_demo()

        credentials = json.loads(self.file.read_text())
        api = TestClient(app, headers={"X-API-Key": credentials["api_key"]})
        self.assertEqual(len(api.get(reverse("simulations-get")).json()["items"]), 3)
        self.assertTrue(self.client.login(username="admin", password=credentials["admin_password"]))

    def test_only_the_owner_can_read_the_credentials(self) -> None:
        self.create_demo()

        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(list(self.file.parent.iterdir()), [self.file])

    def test_second_time_changes_nothing(self) -> None:
        self.create_demo()
        credentials, users = self.file.read_text(), list(User.objects.order_by("pk").values())

        Simulation.objects.all().delete()
        self.create_demo()

        self.assertEqual(self.file.read_text(), credentials)
        self.assertEqual(list(User.objects.order_by("pk").values()), users)
        self.assertFalse(Simulation.objects.exists())

    def test_lost_credentials_are_replaced(self) -> None:
        self.create_demo()
        lost = json.loads(self.file.read_text())
        self.file.unlink()

        self.create_demo()

        self.assertFalse(User.objects.filter(api_key=lost["api_key"]).exists())
        self.assertEqual(User.objects.count(), 2)

    def test_port_that_is_taken(self) -> None:
        with closing(socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            with self.assertRaisesMessage(CommandError, f"Port {port} is taken."):
                call_command("demo", str(port))

    def test_port_that_is_none(self) -> None:
        with self.assertRaisesMessage(CommandError, "65536 is no port: it must be 0 to 65535."):
            call_command("demo", "65536")

    def create_demo(self) -> None:
        call_command("create_demo", stdout=StringIO())


class DatabaseURLTests(SimpleTestCase):
    def test_sqlite(self) -> None:
        self.assertEqual(databases.from_url("sqlite:///db.sqlite3")["NAME"], "db.sqlite3")
        self.assertEqual(databases.from_url("sqlite:////srv/db.sqlite3")["NAME"], "/srv/db.sqlite3")

    def test_postgresql(self) -> None:
        entry = databases.from_url("postgres://me:p%40ss@example.com:5433/fish?sslmode=require")

        self.assertEqual(
            (entry["USER"], entry["PASSWORD"], entry["HOST"], entry["PORT"], entry["NAME"]),
            ("me", "p@ss", "example.com", "5433", "fish"),
        )
        self.assertEqual(entry["OPTIONS"], {"connect_timeout": 5, "sslmode": "require"})

    def test_unknown_scheme_does_not_tell_the_password(self) -> None:
        with self.assertRaises(ValueError) as caught:
            databases.from_url("mysql://me:secret@example.com/fish")

        self.assertEqual(
            str(caught.exception),
            "DATABASE_URL must begin with 'sqlite://' or 'postgres://', not with 'mysql'.",
        )


class ConnectionTests(TransactionTestCase):
    @skipUnless(connection.vendor == "postgresql", "Only a server can count its connections.")
    def test_no_request_leaves_a_connection_behind(self) -> None:
        user = User.objects.create_user("user")

        with TestClient(app, headers={"X-API-Key": user.api_key}) as api:
            for _ in range(5):
                self.assertEqual(api.post(reverse("simulations-post"), json=BODY).status_code, 200)
            asyncio.run(self.request_at_once(user, 20))

        deadline = time.monotonic() + 10  # PostgreSQL may still be about to see that they are gone
        while self.other_connections() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(self.other_connections(), 0)

    async def request_at_once(self, user: User, count: int) -> None:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://testserver",
            headers={"X-API-Key": user.api_key},
        ) as api:
            responses = await asyncio.gather(
                *(api.get(reverse("simulations-get")) for _ in range(count))
            )
        self.assertEqual({response.status_code for response in responses}, {200})

    def other_connections(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            [count] = cursor.fetchone()
        return int(count)
