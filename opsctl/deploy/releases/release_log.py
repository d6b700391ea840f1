"""The log of releases: each is begun before a change, and closed with its outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from opsctl.deploy.model import DeployPlan, RecordedRelease, RestorePoint, StepKind
from opsctl.errors import UsageError
from opsctl.state.model import Actor, Release, ReleaseStep

if TYPE_CHECKING:
    from opsctl.state.releases import Releases
    from opsctl.systems.clock import Clock

RUNNING, DONE, FAILED, RESTORED, DEGRADED = "running", "done", "failed", "restored", "degraded"
ABANDONED = "abandoned"
READ_LIMIT = 200
SHORTEST_COMMIT = 4


@dataclass(frozen=True, slots=True)
class ReleaseLog:
    releases: "Releases"
    clock: "Clock"
    env: str

    def new_id(self) -> str:
        """Name a release by its time, so that people can type it; a clock may repeat itself."""
        name = f"{self.env}-{self.clock.now():%Y%m%d-%H%M%S}"
        names = (f"{name}.{number}" if number > 1 else name for number in count(1))
        return next(name for name in names if self.releases.find(name) is None)

    def begin(self, plan: DeployPlan, actor: Actor, details: Mapping[str, Any]) -> None:
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

    def note(self, release: str, step: str, event: str, **details: Any) -> None:  # noqa: ANN401 - JSON
        """Add an event to a release."""
        self.releases.record_step(
            ReleaseStep(release, self.clock.now(), str(step), event, details=details)
        )

    def finish(self, release: str, outcome: str, details: Mapping[str, Any]) -> None:
        self.releases.finish(release, at=self.clock.now(), outcome=outcome, details=details)

    def abandon_unfinished(self, *, successor: str) -> None:
        """Close every release that was cut off; this one has begun to change containers."""
        for release in self.releases.recent(env=self.env, outcome=RUNNING, limit=READ_LIMIT):
            if release.id != successor:
                reason = f"cut off in step {self._last_step(release.id)}; {successor} continued"
                self.finish(release.id, ABANDONED, {**release.details, "reason": reason})

    def recent(self, limit: int = READ_LIMIT) -> tuple[RecordedRelease, ...]:
        """List releases, newest first."""
        releases = self.releases.recent(env=self.env, limit=limit)
        return tuple(_read_release(release) for release in releases)

    def succeeded(self) -> tuple[RecordedRelease, ...]:
        """List the releases that were deployed and verified, newest first."""
        releases = self.releases.recent(env=self.env, outcome=DONE, limit=READ_LIMIT)
        return tuple(_read_release(release) for release in releases)

    def current(self) -> RecordedRelease | None:
        """Find the release that runs: the last one that succeeded."""
        return next(iter(self.succeeded()), None)

    def unfinished(self) -> RecordedRelease | None:
        """Find what was cut off or could not be restored; a failed release changed nothing."""
        touched = (release for release in self.recent() if release.outcome != FAILED)
        newest = next(touched, None)
        if newest is None or newest.outcome not in {RUNNING, DEGRADED}:
            return None
        return replace(newest, last_step=self._last_step(newest.id))

    def _last_step(self, release: str) -> str:
        steps = self.releases.steps(release)
        return steps[-1].step if steps else str(StepKind.PREFLIGHT)

    def previous(self, current: RecordedRelease | None) -> tuple[RecordedRelease, ...]:
        """List what ran before the current release, newest first."""
        return find_previous(self.succeeded(), current)

    def find(self, name: str) -> RecordedRelease:
        """Find a release by its name or by the start of its commit."""
        for release in self.succeeded():
            is_commit = len(name) >= SHORTEST_COMMIT and release.git_sha.startswith(name)
            if release.id == name or is_commit:
                return release
        raise UsageError(
            f"{name!r} is not a successful release of {self.env}",
            hint=f"`opsctl history -e {self.env}` lists the releases.",
        )


def find_previous(
    releases: Iterable[RecordedRelease], current: RecordedRelease | None
) -> tuple[RecordedRelease, ...]:
    """List what ran before; rollbacks are left out, and what runs the same as a newer one."""
    if current is None:
        return ()
    releases = tuple(releases)
    origin = next((found for found in releases if found.id == current.origin), current)
    if current.origin and origin is current:
        # It went back to what ran before the first release.
        return ()
    contents = {current.content, origin.content}
    previous = []
    for release in releases:
        is_older = release.number < origin.number and release.origin in {"", release.id}
        if is_older and release.content not in contents:
            contents.add(release.content)
            previous.append(release)
    return tuple(previous)


def read_restore_point(release: RecordedRelease) -> RestorePoint:
    """Read what a release recorded about what ran before it."""
    raw = release.restore_point
    return RestorePoint(
        images=_read_texts(raw.get("images")),
        image_names=_read_texts(raw.get("image_names")),
        file=str(raw.get("file") or ""),
        release=str(raw.get("release") or ""),
        unhealthy=_read_words(raw.get("unhealthy")),
        containers=_read_words(raw.get("containers")),
        manifests=_read_texts(raw.get("manifests")),
    )


def restore_point_details(restore_point: RestorePoint) -> dict[str, Any]:
    return asdict(restore_point)


def _read_release(release: Release) -> RecordedRelease:
    raw = release.details
    return RecordedRelease(
        id=release.id,
        env=release.env,
        outcome=release.outcome,
        started_at=release.started_at,
        finished_at=release.finished_at,
        git_sha=release.git_sha,
        git_subject=release.git_subject,
        who=release.who,
        completed=tuple(raw.get("completed") or ()),
        services=tuple(raw.get("services") or ()),
        is_dirty=bool(raw.get("is_dirty")),
        freed_bytes=int(raw.get("freed_bytes") or 0),
        duration_s=float(raw.get("duration_s") or 0),
        restore_point=raw.get("restore_point") or {},
        kind=str(raw.get("kind") or "up"),
        origin=str(raw.get("origin") or ""),
        file=str(raw.get("file") or ""),
        file_digest=str(raw.get("file_digest") or ""),
        schema=str(raw.get("schema") or ""),
        reason=str(raw.get("reason") or ""),
        images=_read_texts(raw.get("images")),
        image_names=_read_texts(raw.get("image_names")),
        image_digests=_read_texts(raw.get("image_digests")),
        config_hashes=_read_texts(raw.get("config_hashes")),
        number=release.number,
        image_manifests=_read_texts(raw.get("image_manifests")),
        image_contents=_read_texts(raw.get("image_contents")),
        file_labels=_read_texts(raw.get("file_labels")),
    )


def _read_words(raw: object) -> tuple[str, ...]:
    return tuple(str(word) for word in raw) if isinstance(raw, list | tuple) else ()


def _read_texts(raw: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in raw.items()} if isinstance(raw, Mapping) else {}
