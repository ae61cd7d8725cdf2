"""The share is half of the connections, or what `MULLET["LASTING"]` says."""

import pytest
from django.test import override_settings

from django_mullet import Overloaded
from django_mullet.execution.connection_share import Share


def test_half_of_the_connections_are_the_share() -> None:
    with override_settings(MULLET={"CONNECTIONS": 5}):
        own = Share()
        own.enter()
        own.enter()
        with pytest.raises(Overloaded, match="hold 2 connections"):
            own.enter()
        own.enter(in_any_case=True)
        assert own.count == 3


def test_the_share_is_what_the_setting_says() -> None:
    with override_settings(MULLET={"LASTING": 1}):
        own = Share()
        own.enter()
        with pytest.raises(Overloaded):
            own.enter()
        own.leave()
        own.enter()
        own.reset()
        assert own.count == 0


def test_a_single_connection_may_be_held() -> None:
    with override_settings(MULLET={"CONNECTIONS": 1}):
        own = Share()
        own.enter()
        assert own.count == 1
