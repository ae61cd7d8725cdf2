from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_mullet import conf


def test_without_the_setting_the_defaults_hold() -> None:
    assert conf.current() == conf.Settings(
        threads=40,
        connections=20,
        queue=2000,
        connection_timeout=30.0,
        lazy_loads="raise",
        retry_after=5,
        rollback_on_error_response=False,
    )


def test_the_setting_changes_what_it_names_only() -> None:
    with override_settings(MULLET={"THREADS": 3, "ROLLBACK_ON_ERROR_RESPONSE": True}):
        assert conf.current() == conf.Settings(threads=3, rollback_on_error_response=True)


def test_the_setting_is_read_at_call_time() -> None:
    with override_settings(MULLET={"QUEUE": 1}):
        first = conf.current().queue
        with override_settings(MULLET={"QUEUE": 2}):
            second = conf.current().queue
        third = conf.current().queue

    assert (first, second, third, conf.current().queue) == (1, 2, 1, 2000)


def test_the_setting_is_parsed_once() -> None:
    with override_settings(MULLET={"QUEUE": 1}):
        assert conf.current() is conf.current()


@override_settings(MULLET={"THREADS": 0})
def test_a_wrong_setting_is_reported_by_every_call() -> None:
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match="THREADS"):
            conf.current()


def test_every_key_is_known() -> None:
    values = {
        "THREADS": 1,
        "CONNECTIONS": 2,
        "LASTING": 1,
        "STREAM_BUFFER": 5,
        "QUEUE": 3,
        "CONNECTION_TIMEOUT": 0.5,
        "LAZY_LOADS": "warn",
        "RETRY_AFTER": 4,
        "ROLLBACK_ON_ERROR_RESPONSE": False,
        "REFUSE_READ_ONLY": True,
        "VERIFY_PREPARED": 0.25,
        "PROBLEM_DETAILS": True,
    }

    assert conf.parse(values) == conf.Settings(
        1, 2, 1, 5, 3, 0.5, "warn", 4, False, True, 0.25, True
    )


def test_the_timeout_may_be_a_whole_number() -> None:
    assert conf.parse({"CONNECTION_TIMEOUT": 7}).connection_timeout == 7


@pytest.mark.parametrize("values", [[], "THREADS", 40])
def test_something_that_is_no_dict_is_reported(values: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse(values)

    assert str(caught.value) == ("MULLET must be a dict, for example MULLET = {'THREADS': 40}.")


def test_an_unknown_key_is_reported_with_those_known() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({"SPEED": 1})

    assert str(caught.value) == (
        "MULLET has no setting 'SPEED'. It knows: CONNECTIONS, CONNECTION_TIMEOUT, "
        "LASTING, LAZY_LOADS, PROBLEM_DETAILS, QUEUE, REFUSE_READ_ONLY, RETRY_AFTER, "
        "ROLLBACK_ON_ERROR_RESPONSE, STREAM_BUFFER, THREADS, VERIFY_PREPARED."
    )


@pytest.mark.parametrize("key", ["THREAD", "threads", "TREADS"])
def test_a_misspelt_key_is_told_how_to_write_it(key: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({key: 1})

    assert str(caught.value) == f"MULLET has no setting '{key}'. Write 'THREADS'."


def test_not_more_connections_last_than_there_are() -> None:
    assert conf.parse({"LASTING": 2, "CONNECTIONS": 2}).lasting == 2
    assert conf.parse({"LASTING": None}).lasting is None

    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({"LASTING": 3, "CONNECTIONS": 2})

    assert str(caught.value) == (
        "MULLET['LASTING'] is 3, more than MULLET['CONNECTIONS'] lets be open: 2. Write a lower "
        "number, so that some are left for others."
    )


@pytest.mark.parametrize("value", [True, -0.1, 1.1, "1", None])
def test_a_share_is_from_0_to_1(value: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({"VERIFY_PREPARED": value})

    assert str(caught.value) == (f"MULLET['VERIFY_PREPARED'] must be from 0 to 1, not {value!r}.")


@pytest.mark.parametrize("key", ["THREADS", "CONNECTIONS", "QUEUE", "RETRY_AFTER"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "5", None])
def test_a_count_must_be_a_whole_number_above_zero(key: str, value: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({key: value})

    assert str(caught.value) == f"MULLET['{key}'] must be a number above 0, not {value!r}."


@pytest.mark.parametrize("value", [0, -0.5, True, "30", None])
def test_the_timeout_must_be_above_zero(value: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({"CONNECTION_TIMEOUT": value})

    assert str(caught.value) == (
        f"MULLET['CONNECTION_TIMEOUT'] must be a number above 0, not {value!r}."
    )


@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_a_switch_must_be_true_or_false(value: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({"ROLLBACK_ON_ERROR_RESPONSE": value})

    assert str(caught.value) == (
        f"MULLET['ROLLBACK_ON_ERROR_RESPONSE'] must be True or False, not {value!r}."
    )


def test_an_unknown_way_with_lazy_loads_is_reported() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.parse({"LAZY_LOADS": "log"})

    assert str(caught.value) == (
        "MULLET['LAZY_LOADS'] must be one of 'raise', 'warn', 'allow', not 'log'."
    )
