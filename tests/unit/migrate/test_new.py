"""How a new file is named."""

from datetime import UTC, datetime

import pytest

from opsctl.errors import UsageError
from opsctl.migrate.new_files import plan_new_files

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], "001_add.sql"),
        (["001_a.sql", "007_b.down.sql", "x.txt"], "008_add.sql"),
        (["0999_a.sql"], "1000_add.sql"),
        (["20250101000000_a.sql"], "20261120093000_add.sql"),
        (["20270101000000_a.sql"], "20270101000001_add.sql"),
    ],
)
def test_the_next_number_keeps_the_width(existing: list[str], expected: str) -> None:
    assert [draft.file for draft in plan_new_files(existing, "add", now=NOW, down=False)] == [
        expected
    ]


@pytest.mark.parametrize("name", ["", "!!!", "../.."])
def test_a_name_without_letters_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        plan_new_files([], name, now=NOW, down=False)


def test_a_path_is_turned_into_a_name() -> None:
    (draft,) = plan_new_files([], "../../etc/Pass wd", now=NOW, down=False)

    assert draft.file == "001_etc_pass_wd.sql"
