"""Turns what was measured into findings. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from opsctl.findings import Figure, Finding, Level
from opsctl.settings import DescribedSetting, LoadedSettings

BAD_REQUEST = 400
_SKEW_FIX = "Let one clock follow the other: `timedatectl set-ntp true` on both."


def judge_settings(loaded: LoadedSettings) -> Iterator[Finding]:
    """One finding for the settings as a whole, and one per doubtful place."""
    explained = tuple(loaded.resolved.describe())
    yield Finding("settings", Level.OK, f"{len(explained)} settings from {', '.join(loaded.files)}")
    for variable in loaded.unknown:
        yield Finding(
            "settings",
            Level.WARNING,
            f"{variable.place} sets nothing: no setting has the name {variable.name}",
            fix="`opsctl config show --origin` lists the settings; rename or unset it.",
        )
    yield from _secrets_in_files(explained, loaded.files)


def _secrets_in_files(
    explained: Sequence[DescribedSetting], files: Sequence[str]
) -> Iterator[Finding]:
    for value in explained:
        file, _, line = value.origin.rpartition(":")
        if value.secret and value.value and file in files:
            yield Finding(
                "settings",
                Level.WARNING,
                f"{value.path} is a secret and is set in {value.origin}",
                fix="Move it to .env, which git ignores, and change it: git may know it already.",
                file=file,
                line=int(line),
            )


def judge_skew(
    name: str, theirs: datetime, *, before: datetime, after: datetime, limit_s: float
) -> Finding:
    """Compare with the nearer end of the call: the trip itself is no skew."""
    ahead = (theirs - after).total_seconds()
    behind = (before - theirs).total_seconds()
    skew = max(ahead, behind, 0.0)
    word = "ahead of" if ahead > behind else "behind"
    message = (
        f"its clock is {skew:.1f} s {word} this one" if skew else "its clock agrees with this one"
    )
    level = Level.WARNING if skew > limit_s else Level.OK
    return Finding(
        f"{name} clock",
        level,
        message,
        fix=_SKEW_FIX,
        figures=(Figure("skew", skew, "s", limit_s),),
    )


def judge_checkout(*, commit: str | None, dirty: int, experiment: str | None) -> Iterator[Finding]:
    if commit is None:
        yield Finding(
            "git",
            Level.WARNING,
            "this is not a git checkout with a commit",
            fix="`git init && git add -A && git commit`: a release is known by its commit.",
        )
        return
    changed = f", {dirty} files changed since" if dirty else ""
    yield Finding("git", Level.OK, f"at {commit[:12]}{changed}")
    if experiment:
        message = f"this is an experiment ({experiment}): production is read-only for it"
        yield Finding("git", Level.OK, message)


def judge_dotenv(*, tracked: bool, ignored: bool) -> Finding:
    """Passwords live in .env: git must not know it."""
    if tracked:
        return Finding(
            "git",
            Level.CRITICAL,
            ".env is tracked by git, and with it every password",
            fix="git rm --cached .env && echo .env >> .gitignore; then change the passwords.",
        )
    if not ignored:
        fix = "echo .env >> .gitignore"
        return Finding("git", Level.WARNING, ".env is not ignored by git", fix=fix)
    return Finding("git", Level.OK, ".env is not in git")


def judge_http_status(name: str, status: int) -> Finding:
    """Below 400 is healthy; the server answered in any case."""
    if status < BAD_REQUEST:
        return Finding(name, Level.OK, f"answers {status}")
    fix = "See its logs; `curl -i` shows the whole answer."
    return Finding(name, Level.CRITICAL, f"answers {status}", fix=fix)
