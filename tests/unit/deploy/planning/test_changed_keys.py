import json
from typing import Any

import pytest

from opsctl.deploy.planning.changed_keys import compare_projects, describe_keys


def compare(old: Any, new: Any, *secrets: str) -> list[str]:
    before, after = (json.dumps({"services": {"web": found}}) for found in (old, new))
    changes = compare_projects(before, after, secrets)
    return [str(change) for change in changes.services.get("web", ())]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"image": "a:1"}, {"image": "a:2"}, ["image: a:1 -> a:2"]),
        (
            {"environment": {"X": "1", "Y": "2"}},
            {"environment": {"X": "2", "Y": "2"}},
            ["environment.X: 1 -> 2"],
        ),
        ({}, {"environment": {"X": "1"}}, ["environment.X: (none) -> 1"]),
        ({"command": ["a"]}, {"command": ["b"]}, ['command: ["a"] -> ["b"]']),
        ({"mem_limit": 1}, {"mem_limit": 2}, ["mem_limit: 1 -> 2"]),
    ],
)
def test_each_key_that_changed_is_named_with_its_values(
    old: Any, new: Any, expected: list[str]
) -> None:
    assert compare(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"environment": {"DB_PASSWORD": "hunter1"}}, {"environment": {"DB_PASSWORD": "hunter2"}}),
        ({"command": ["redis", "--requirepass", "hunter1"]}, {"command": ["redis", "hunter2"]}),
        ({"build": {"args": {"API_TOKEN": "hunter1"}}}, {"build": {"args": {"API_TOKEN": "x"}}}),
        ({"labels": {"a": "http://u:hunter1@h"}}, {"labels": {"a": "http://u:hunter2@h"}}),
        ({"labels": {"a": "say hunter1"}}, {"labels": {"a": "say hunter2"}}),
    ],
)
def test_a_secret_that_changed_is_named_but_not_shown(old: Any, new: Any) -> None:
    (shown,) = compare(old, new, "hunter1", "hunter2")

    assert "hunter" not in shown
    assert "***" in shown


def test_networks_and_volumes_go_by_the_names_that_the_engine_knows() -> None:
    before = {"networks": {"n": {"name": "shop_n", "labels": {"x": "1"}}}, "volumes": {"v": None}}
    after = {"networks": {"n": {"name": "shop_n", "labels": {"x": "2"}}}, "volumes": {"v": None}}

    changes = compare_projects(json.dumps(before), json.dumps(after))

    assert [str(change) for change in changes.networks["shop_n"]] == ["labels.x: 1 -> 2"]
    assert changes.volumes == {}


def test_many_keys_and_long_values_are_cut() -> None:
    old = {f"k{number}": "a" * 100 for number in range(6)}
    before, after = (json.dumps({"services": {"web": found}}) for found in (old, {}))

    text = describe_keys(compare_projects(before, after).services["web"])

    assert text.endswith("; and 2 more")
    assert len(text) < 400
