"""Section `experiment`: what an experiment may touch."""

from opsctl.settings.section import Section, setting

LOWEST_EXPERIMENT_INDEX = 10


class ExperimentSettings(Section):
    """What an experiment may touch: it never reaches production."""

    branch_prefixes: tuple[str, ...] = setting(
        ("exp/",), "Branches that hold experiments.", min_length=1
    )
    trunks: tuple[str, ...] = setting(
        ("main", "master"), "Branches whose commits are no experiment any more.", min_length=1
    )
    redis_db: int = setting(
        LOWEST_EXPERIMENT_INDEX,
        "Redis index that an experiment writes to.",
        ge=LOWEST_EXPERIMENT_INDEX,
        le=9999,
    )
