import json

import pytest

from opsctl.systems.engine.compose_variables import (
    UnsetVariable,
    find_unset_names,
    find_unset_variables,
)

LOGGED = r"""time="2026-01-01" level=warning msg="The \"DB\" variable is not set."
time="2026-01-01" level=warning msg="The \"DB\" variable is not set."
time="2026-01-01" level=warning msg="`version` is obsolete"
"""
PLAIN = 'WARN[0000] The "DB" variable is not set. Defaulting to a blank string.'


@pytest.mark.parametrize("stderr", [LOGGED, PLAIN])
def test_the_names_are_read_from_the_warnings(stderr: str) -> None:
    assert find_unset_names(stderr) == ("DB",)


@pytest.mark.parametrize(
    ("written", "services"),
    [
        ("${DB}", ("web",)),
        ("$DB", ("web",)),
        ("x-${DB:+y}", ("web",)),
        ("$DB_OTHER", ()),
        ("${DB_OTHER}", ()),
    ],
)
def test_the_services_that_use_a_variable_are_found(
    written: str, services: tuple[str, ...]
) -> None:
    project = {"services": {"web": {"environment": {"A": written}}, "other": {"image": "x"}}}

    assert find_unset_variables(("DB",), json.dumps(project)) == (UnsetVariable("DB", services),)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}"])
def test_without_a_readable_project_the_names_remain(text: str) -> None:
    assert find_unset_variables(("DB",), text) == (UnsetVariable("DB"),)
