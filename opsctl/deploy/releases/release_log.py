"""The releases of one environment: begun before a change, closed with what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from opsctl.deploy.model import Act, Base, Plan, Recorded
from opsctl.errors import UsageError
from opsctl.state.model import Actor, Release, ReleaseStep

if TYPE_CHECKING:
    from opsctl.state.releases import Releases
    from opsctl.systems.clock import Clock

RUNNING, DONE, FAILED, RESTORED, DEGRADED = "running", "done", "failed", "restored", "degraded"
ABANDONED = "abandoned"
ENOUGH = 200
LEAST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Ledger:
    releases: "Releases"
    clock: "Clock"
    env: str

    def new_id(self) -> str:
        """Name a release by its moment: sorted as it was made, and typed by people."""
        name = f"{self.env}-{self.clock.now():%Y%m%d-%H%M%S}"
        taken = [one.id for one in self.releases.recent(env=self.env, limit=ENOUGH)]
        same = sum(one == name or one.startswith(f"{name}.") for one in taken)
        return f"{name}.{same + 1}" if same else name

    def begin(self, plan: Plan, actor: Actor, details: Mapping[str, Any]) -> None:
        self.releases.begin(
            Release(
                id=plan.release,
                env=self.env,
                started_at=self.clock.now(),
                git_sha=plan.git_sha,
                git_subject=plan.git_subject,
                who=actor.who if not actor.sudo_user else f"{actor.who} ({actor.sudo_user})",
                outcome=RUNNING,
                details=details,
            )
        )

    def note(self, release: str, act: str, event: str, **details: Any) -> None:  # noqa: ANN401 - JSON
        """Add a line about a release."""
        self.releases.record_step(
            ReleaseStep(release, self.clock.now(), str(act), event, details=details)
        )

    def finish(self, release: str, outcome: str, details: Mapping[str, Any]) -> None:
        self.releases.finish(release, at=self.clock.now(), outcome=outcome, details=details)

    def abandon(self, unfinished: Recorded, *, successor: str) -> None:
        """Close a release that was cut off: another one goes on from here."""
        if unfinished.outcome != RUNNING:
            return
        raw = self.releases.find(unfinished.id)
        details = dict(raw.details) if raw else {}
        details["reason"] = f"cut off in step {unfinished.last_step}; {successor} went on"
        self.finish(unfinished.id, ABANDONED, details)

    def recent(self, limit: int = ENOUGH) -> tuple[Recorded, ...]:
        """List them, newest first."""
        return tuple(_recorded(one) for one in self.releases.recent(env=self.env, limit=limit))

    def live(self) -> Recorded | None:
        """Say which release runs: the last that ended well."""
        return next((one for one in self.recent() if one.outcome == DONE), None)

    def unfinished(self) -> Recorded | None:
        """Find a release that was begun and never closed: its process was killed."""
        newest = next(iter(self.recent(limit=1)), None)
        if newest is None or newest.outcome not in {RUNNING, DEGRADED}:
            return None
        steps = self.releases.steps(newest.id)
        return replace(newest, last_step=steps[-1].step if steps else str(Act.PREFLIGHT))

    def before(self, live: Recorded | None) -> tuple[Recorded, ...]:
        """List what ran before the live release, newest first, each content once."""
        if live is None:
            return ()
        done = [one for one in self.recent() if one.outcome == DONE]
        origin = live.origin or live.id
        older = [
            one for one in done if (one.origin or one.id) < origin and one.origin in {"", one.id}
        ]
        return tuple(older)

    def find(self, name: str) -> Recorded:
        """Find a release by its name or by the beginning of its commit."""
        done = [one for one in self.recent() if one.outcome == DONE]
        for one in done:
            if one.id == name or (len(name) >= LEAST_PREFIX and one.git_sha.startswith(name)):
                return one
        raise UsageError(
            f"there is no release {name!r} of {self.env} that ended well",
            hint=f"`opsctl history -e {self.env}` lists them.",
        )


def base_of(release: Recorded) -> Base:
    """Read what a release wrote down of what ran before it."""
    raw = release.base
    return Base(
        images=_texts(raw.get("images")),
        names=_texts(raw.get("names")),
        file=str(raw.get("file") or ""),
        release=str(raw.get("release") or ""),
    )


def base_details(base: Base) -> dict[str, Any]:
    return asdict(base)


def _recorded(one: Release) -> Recorded:
    raw = one.details
    return Recorded(
        id=one.id,
        env=one.env,
        outcome=one.outcome,
        started_at=one.started_at,
        finished_at=one.finished_at,
        git_sha=one.git_sha,
        git_subject=one.git_subject,
        who=one.who,
        completed=tuple(raw.get("completed") or ()),
        services=tuple(raw.get("services") or ()),
        is_dirty=bool(raw.get("is_dirty")),
        freed_bytes=int(raw.get("freed_bytes") or 0),
        duration_s=float(raw.get("duration_s") or 0),
        base=raw.get("base") or {},
        kind=str(raw.get("kind") or "up"),
        origin=str(raw.get("origin") or ""),
        file=str(raw.get("file") or ""),
        digest=str(raw.get("digest") or ""),
        schema=str(raw.get("schema") or ""),
        reason=str(raw.get("reason") or ""),
        images=_texts(raw.get("images")),
        names=_texts(raw.get("names")),
        digests=_texts(raw.get("digests")),
        hashes=_texts(raw.get("hashes")),
    )


def _texts(raw: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in raw.items()} if isinstance(raw, Mapping) else {}
