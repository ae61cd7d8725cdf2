"""Which models are saved by statements that are compiled once? As docs/prepared.md says.

The mixin would stand in the model itself, if that were not every peer's.
"""

from django_mullet import PreparedWrites
from shop.models import Simulation, Tag

__all__ = ["SavedSimulation", "SavedTag"]


class SavedSimulation(PreparedWrites, Simulation):
    """The same table."""

    class Meta:
        proxy = True
        app_label = "shop"


class SavedTag(PreparedWrites, Tag):
    """The same table."""

    class Meta:
        proxy = True
        app_label = "shop"
