"""Section `experiment`: which branches are experiments, and their Redis index."""

from opsctl.settings.section import Section, setting

LOWEST_EXPERIMENT_INDEX = 10


class ExperimentSettings(Section):
    """Which branches are experiments, and what they may use; they never change production."""

    branch_prefixes: tuple[str, ...] = setting(
        ("exp/",), "Prefixes of the names of experiment branches.", min_length=1
    )
    trunks: tuple[str, ...] = setting(
        ("main", "master"), "Branches whose commits are no longer experiments.", min_length=1
    )
    redis_db: int = setting(
        LOWEST_EXPERIMENT_INDEX,
        "Redis database index that an experiment writes to.",
        ge=LOWEST_EXPERIMENT_INDEX,
        le=9999,
    )
