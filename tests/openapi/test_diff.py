"""Is it told in what two JSON documents differ?"""

from typing import Any

import pytest

from django_mullet.openapi.diff import changes


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, ["+ a > c"]),
        ({"a": {"b": 1, "c": {}}}, {"a": {"b": 1}}, ["- a > c"]),
        ({"a": {"b": "é"}}, {"a": {"b": None}}, ['~ a > b: "é" is null now']),
        ({"a": ["x"]}, {"a": ["x", "y"]}, ['~ a: ["x"] is ["x", "y"] now']),
        ({"a": {"b": 1}}, {"a": 1}, ['~ a: {"b": 1} is 1 now']),
        ({"a": {"0": 1}}, {"a": [{}]}, ['~ a: {"0": 1} is [{}] now']),
        ({"a": [{}]}, {"a": []}, ["~ a: [{}] is [] now"]),
        ({"a": "x" * 60}, {"a": 1}, [f'~ a: "{"x" * 58}… is 1 now']),
        (
            {"parameters": [{"name": "id", "in": "path"}, {"name": "page", "in": "query"}]},
            {"parameters": [{"name": "page", "in": "header"}]},
            ["- parameters > 'id'", '~ parameters > \'page\' > in: "query" is "header" now'],
        ),
        ({"anyOf": [{"a": 1}, 2]}, {"anyOf": [{"a": 3}, 2]}, ["~ anyOf > 0 > a: 1 is 3 now"]),
    ],
)
def test_changes(old: Any, new: Any, told: list[str]) -> None:
    assert list(changes(old, new)) == told
