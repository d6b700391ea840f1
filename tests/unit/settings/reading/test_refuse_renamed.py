from itertools import pairwise

import pytest

from opsctl.errors import SettingsError
from opsctl.settings.model import fields
from opsctl.settings.renamed import RENAMED
from tests.unit.settings.conftest import Load

BASE = "configs/opsctl.yaml"
OLD, NEW = "limits.when_away", "limits.when_unavailable"
OLD_VARIABLE, NEW_VARIABLE = "OPSCTL_LIMITS_WHEN_AWAY", "OPSCTL_LIMITS_WHEN_UNAVAILABLE"


def refusal(load_from: Load, *args: object, **kwargs: object) -> tuple[str, str]:
    with pytest.raises(SettingsError) as refused:
        load_from(*args, **kwargs)
    assert refused.value.exit_code == 6
    return refused.value.what, refused.value.hint


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_key_in_a_file_is_refused_with_its_line_and_the_new_key(
    load_from: Load, old: str
) -> None:
    section, _, key = old.partition(".")
    files = {BASE: "", "configs/dev.yaml": f"# dev\n{section}:\n  {key}: 1\n"}

    what, hint = refusal(load_from, files)

    assert what == f"configs/dev.yaml:3: {old} was renamed"
    assert hint == f"Use {RENAMED[old]} instead of {old}."


def test_an_old_key_of_a_section_that_is_gone_is_refused_as_well(
    load_from: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RENAMED, "gone.key", NEW)

    what, hint = refusal(load_from, {BASE: "gone:\n  other: 1\n  key: 2\n"})

    assert (what, hint) == (f"{BASE}:3: gone.key was renamed", f"Use {NEW} instead of gone.key.")


def test_an_old_variable_is_refused_with_the_new_variable(load_from: Load) -> None:
    dotenv = {BASE: "", ".env": f"A=1\n{OLD_VARIABLE}=open\n"}
    hint = f"Use {NEW_VARIABLE} instead of {OLD_VARIABLE}."

    assert refusal(load_from, dotenv) == (f".env:2: {OLD_VARIABLE} was renamed", hint)
    assert refusal(load_from, environ={OLD_VARIABLE: "open"}) == (
        f"environment {OLD_VARIABLE}: {OLD_VARIABLE} was renamed",
        hint,
    )


def test_an_old_variable_without_a_value_counts_as_unset(load_from: Load) -> None:
    assert load_from(environ={OLD_VARIABLE: ""}).resolved.settings.limits.when_unavailable


def test_an_old_flag_is_refused_with_the_new_name(load_from: Load) -> None:
    what, hint = refusal(load_from, flags={OLD: "open"})

    assert (what, hint) == (f"flag: {OLD} was renamed", f"Use {NEW} instead of {OLD}.")


def test_the_table_of_renamed_keys_leads_to_keys_that_exist() -> None:
    assert not RENAMED.keys() & fields().keys()
    assert set(RENAMED.values()) <= fields().keys()
    assert all(first < second for first, second in pairwise(RENAMED))
