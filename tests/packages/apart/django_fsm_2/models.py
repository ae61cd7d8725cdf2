from django.db import models
from django_fsm import ConcurrentTransitionMixin, FSMField, FSMModelMixin, transition

from django_mullet.prepared_writes import PreparedWrites


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
