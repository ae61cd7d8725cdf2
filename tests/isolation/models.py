"""What belongs to a tenant? `tests.isolation.data` makes the table."""

from django.db import models


class Row(models.Model):
    """One row that only the code of `tenant` may see."""

    tenant = models.CharField(max_length=20)

    def __str__(self) -> str:
        return f"{self.pk} of {self.tenant}"
