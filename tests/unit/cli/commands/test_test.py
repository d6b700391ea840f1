"""`--env` of a test: a variable when it is one, the environment when it is not."""

import pytest

from opsctl.cli.commands.test import with_variables


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["--env", "A=1"], ["--var", "A=1"]),
        (["--env=A=1"], ["--var=A=1"]),
        (["-e", "A=1"], ["--var", "A=1"]),
        (["-e", "dev", "--env", "A=1"], ["-e", "dev", "--var", "A=1"]),
        (["--env=dev"], ["--env=dev"]),
        (["--", "--env", "A=1"], ["--", "--env", "A=1"]),
        (["--env", "A=1", "--", "env", "-e", "B=2"], ["--var", "A=1", "--", "env", "-e", "B=2"]),
        ([], []),
    ],
)
def test_a_variable_is_told_from_an_environment(typed: list[str], read: list[str]) -> None:
    assert with_variables(typed) == read
