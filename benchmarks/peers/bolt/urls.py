"""Django serves nothing here."""

urlpatterns: list[object] = []
