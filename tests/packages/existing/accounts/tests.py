from django.test import TestCase

from accounts.models import User


class LoginTests(TestCase):
    def test_users_log_in_by_their_address(self) -> None:
        User.objects.create_superuser("goat", "goat@example.com", "correct horse")

        logged_in = self.client.login(email="goat@example.com", password="correct horse")

        self.assertTrue(logged_in)
        self.assertEqual(self.client.get("/en/admin/").status_code, 200)
