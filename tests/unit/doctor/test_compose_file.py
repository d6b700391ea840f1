import pytest

from opsctl.doctor.compose_file import judge_unset_variables
from opsctl.findings import Level
from opsctl.systems.engine.compose_variables import UnsetVariable

UNSET = (UnsetVariable("PW", ("db",)), UnsetVariable("OTHER"))


@pytest.mark.parametrize(("has_dotenv", "level"), [(True, Level.WARNING), (False, Level.ADVICE)])
def test_an_unset_variable_is_a_problem_only_beside_a_dotenv(
    has_dotenv: bool,  # noqa: FBT001 - a case
    level: Level,
) -> None:
    found = tuple(judge_unset_variables(UNSET, ("OTHER",), "c.yml", has_dotenv=has_dotenv))

    assert [(finding.level, finding.what.partition(",")[0]) for finding in found] == [
        (level, "c.yml uses PW (in db)")
    ]
