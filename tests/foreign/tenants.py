"""What does a backend keep that tells each session for whom it works?"""

from typing import Any

__all__ = ["TenantMixin", "told"]

told: list[tuple[object, str]] = []
"""The DB-API connections that were told of a tenant, and which."""


class TenantMixin:
    """Tells the session of the tenant before a query, and only if it does not know it yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = "public"
        self.is_told = False

    def set_tenant(self, tenant: str) -> None:
        """Have the queries from now on be those of `tenant`."""
        self.tenant = tenant
        self.is_told = False

    def close(self) -> None:
        """Close the connection: the next is told anew."""
        self.is_told = False
        super().close()  # type: ignore[misc]

    def _cursor(self, name: str | None = None) -> Any:
        cursor = super()._cursor(name)  # type: ignore[misc]
        if not self.is_told:
            self.is_told = True
            self._tell()
        return cursor

    def _tell(self) -> None:
        this: Any = self
        told.append((this.connection, self.tenant))
        if this.vendor == "postgresql":
            with this.connection.cursor() as cursor:
                cursor.execute("SELECT set_config('mullet.tenant', %s, false)", [self.tenant])
