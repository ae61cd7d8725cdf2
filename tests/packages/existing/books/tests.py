from django.test import TestCase
from django.urls import reverse
from rest_framework.test import APIClient, APITestCase

from accounts.models import User
from books.models import Book


class PageTests(TestCase):
    def test_each_language_has_its_page(self) -> None:
        user = User.objects.create_user("goat", "goat@example.com")
        Book.objects.create(title="Iliad", owner=user)

        for language in ("en", "el"):
            with self.subTest(language=language):
                response = self.client.get(f"/{language}/")

                self.assertContains(response, f'<html lang="{language}">')
                self.assertContains(response, "Iliad")

    def test_whoever_names_no_language_is_sent_to_theirs(self) -> None:
        response = self.client.get("/", headers={"Accept-Language": "el"})

        self.assertRedirects(response, "/el/")

    def test_what_nobody_has_is_not_found(self) -> None:
        self.assertEqual(self.client.get("/en/nothing/").status_code, 404)
        self.assertEqual(self.client.get("/api/v1/nothing/").status_code, 404)


class RestTests(APITestCase):
    def setUp(self) -> None:
        self.user = User.objects.create_user("goat", "goat@example.com")
        self.url = reverse("book-list")

    def test_the_list_has_pages(self) -> None:
        Book.objects.bulk_create(Book(title=f"{n}", owner=self.user) for n in range(25))

        page = self.client.get(self.url).json()

        self.assertEqual(self.url, "/api/v1/books/")
        self.assertEqual((page["count"], len(page["results"])), (25, 20))

    def test_whoever_has_logged_in_adds_books(self) -> None:
        self.client.force_login(self.user)

        response = self.client.post(self.url, {"title": "Iliad"})

        self.assertEqual(response.status_code, 201)
        self.assertEqual(Book.objects.get().owner, self.user)

    def test_nobody_else_does(self) -> None:
        self.assertEqual(self.client.post(self.url, {"title": "Iliad"}).status_code, 403)

    def test_a_session_needs_the_csrf_token(self) -> None:
        client = APIClient(enforce_csrf_checks=True)
        client.force_login(self.user)

        self.assertEqual(client.post(self.url, {"title": "Iliad"}).status_code, 403)
