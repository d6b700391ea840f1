"""Claims about data that must hold after a deploy: somebody listens, and rows are young."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from opsctl.deploy.model import Gate
from opsctl.errors import OpsctlError
from opsctl.settings import Settings
from opsctl.settings.sections.deploy import FreshTable

if TYPE_CHECKING:
    from opsctl.systems.postgres.client import Name, Postgres
    from opsctl.systems.redis.client import Redis


class DataSite(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def redis(self) -> "Redis": ...
    @property
    def postgres(self) -> "Postgres": ...


def gates(site: DataSite) -> tuple[Gate, ...]:
    """Make a gate of each claim in the settings; the systems are asked only when it is tried."""
    rules = site.settings.deploy
    return (
        *(Subscribed(site, channel) for channel in rules.subscribed_channels),
        *(Fresh(site, table) for table in rules.fresh_tables),
    )


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A channel has a subscriber; any pattern counts, for Redis does not tell which there are."""

    site: DataSite
    channel: str

    @property
    def name(self) -> str:
        return f"a subscriber to {self.channel}"

    def objection(self) -> str | None:
        try:
            counted = self.site.redis.call("PUBSUB", "NUMSUB", self.channel)
            patterns = self.site.redis.call("PUBSUB", "NUMPAT")
        except OpsctlError as error:
            return f"{error.what}: {error.why}" if error.why else error.what
        if int(counted[1]) or int(patterns):
            return None
        return "nobody listens"


@dataclass(frozen=True, slots=True)
class Fresh:
    """A table has a row that is young enough, by the database's own clock."""

    site: DataSite
    table: FreshTable

    @property
    def name(self) -> str:
        return f"young rows in {self.table.table}"

    def objection(self) -> str | None:
        try:
            age_s = self._age_s()
        except OpsctlError as error:
            return f"{error.what}: {error.why}" if error.why else error.what
        if age_s is None:
            return "it has no rows"
        limit_s = self.table.within_s
        return None if age_s <= limit_s else f"the youngest is {age_s:.0f} s old, not {limit_s:g}"

    def _age_s(self) -> float | None:
        names: dict[str, Name] = {
            "table": tuple(self.table.table.split(".")),
            "column": self.table.column,
        }
        with self.site.postgres.session(read_only=True) as session:
            ((age,),) = session.query(
                "SELECT extract(epoch FROM now() - max({column}))::float8 FROM {table}",
                names=names,
            )
        return None if age is None else float(age)
