from django.db import models
from django_fsm import (
    ConcurrentTransitionMixin,
    FSMField,
    FSMIntegerField,
    FSMKeyField,
    FSMModelMixin,
    transition,
)

from django_mullet import PreparedWrites


class Article(PreparedWrites, FSMModelMixin, models.Model):
    """Only its transitions set its state."""

    title = models.CharField(max_length=50)
    state = FSMField(default="draft", protected=True)

    def __str__(self) -> str:
        return self.title

    @transition(state, source="draft", target="published")
    def publish(self) -> None:
        """Show it."""


class Order(PreparedWrites, ConcurrentTransitionMixin, models.Model):
    """Whoever writes may set its state; of two that change it at a time, one fails."""

    note = models.CharField(max_length=50, blank=True)
    state = FSMField(default="new", choices=[("new", "New"), ("paid", "Paid")])

    def __str__(self) -> str:
        return self.note

    @transition(state, source="new", target="paid")
    def pay(self) -> None:
        """Take the money."""


class Priority(models.Model):
    name = models.CharField(max_length=50, primary_key=True)

    def __str__(self) -> str:
        return self.name


class Ticket(PreparedWrites, FSMModelMixin, models.Model):
    """Its states are a number and a key."""

    title = models.CharField(max_length=50)
    step = FSMIntegerField(default=1, protected=True)
    priority = FSMKeyField(Priority, models.CASCADE, default="low", protected=True)

    def __str__(self) -> str:
        return self.title

    @transition(step, source=1, target=2)
    def proceed(self) -> None:
        """Go on."""

    @transition(priority, source="low", target="high")
    def hurry(self) -> None:
        """Do it soon."""
