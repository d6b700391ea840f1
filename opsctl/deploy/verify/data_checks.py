"""Checks on data after a deploy: channels have a subscriber, and tables have fresh rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from opsctl.deploy.integrations import DataCheck, ReportLine
from opsctl.errors import OpsctlError
from opsctl.settings import Settings
from opsctl.settings.sections.deploy import FreshTable

if TYPE_CHECKING:
    from opsctl.deploy.observe import Observer
    from opsctl.systems.postgres.client import Name, Postgres
    from opsctl.systems.redis.client import Redis

POLL_S = 1.0


class DataCheckContext(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def redis(self) -> "Redis": ...
    @property
    def postgres(self) -> "Postgres": ...


def list_data_checks(context: DataCheckContext) -> tuple[DataCheck, ...]:
    """Make a check of each condition in the settings; nothing is connected until it runs."""
    settings = context.settings.deploy
    return (
        *(SubscriberCheck(context, channel) for channel in settings.subscribed_channels),
        *(FreshRowsCheck(context, table) for table in settings.fresh_tables),
    )


def wait_for_data(observer: "Observer", checks: Sequence[DataCheck], *, report: ReportLine) -> None:
    """Wait until every check passes."""
    context = observer.context
    timeout_s = context.settings.deploy.data_check_timeout_s
    end = context.clock.steady() + timeout_s
    for check in checks:
        while (problem := check.find_problem()) is not None:
            if context.clock.steady() >= end:
                why = f"not met within {timeout_s:g} s: {problem}"
                raise OpsctlError(f"cannot verify the data: {check.name}", why=why)
            report(f"waiting for {check.name}: {problem}")
            context.clock.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class SubscriberCheck:
    """A channel has a subscriber; any pattern counts, because Redis does not list patterns."""

    context: DataCheckContext
    channel: str

    @property
    def name(self) -> str:
        return f"a subscriber to {self.channel}"

    def find_problem(self) -> str | None:
        try:
            counted = self.context.redis.call("PUBSUB", "NUMSUB", self.channel)
            patterns = self.context.redis.call("PUBSUB", "NUMPAT")
        except OpsctlError as error:
            return f"{error.what}: {error.why}" if error.why else error.what
        if int(counted[1]) or int(patterns):
            return None
        return "it has no subscriber"


@dataclass(frozen=True, slots=True)
class FreshRowsCheck:
    """A table has a row that is new enough, by the database's own clock."""

    context: DataCheckContext
    table: FreshTable

    @property
    def name(self) -> str:
        return f"fresh rows in {self.table.table}"

    def find_problem(self) -> str | None:
        try:
            age_s = self._newest_age_s()
        except OpsctlError as error:
            return f"{error.what}: {error.why}" if error.why else error.what
        if age_s is None:
            return "it has no rows"
        limit_s = self.table.within_s
        if age_s <= limit_s:
            return None
        return f"the newest row is {age_s:.0f} s old; the limit is {limit_s:g} s"

    def _newest_age_s(self) -> float | None:
        names: dict[str, Name] = {
            "table": tuple(self.table.table.split(".")),
            "column": self.table.column,
        }
        with self.context.postgres.session(read_only=True) as session:
            ((age,),) = session.query(
                "SELECT extract(epoch FROM now() - max({column}))::float8 FROM {table}",
                names=names,
            )
        return None if age is None else float(age)
