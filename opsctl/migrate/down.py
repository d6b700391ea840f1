"""Takes files back, the last one first, by the down parts that stand beside them."""

from collections.abc import Sequence
from functools import partial

from opsctl.errors import UsageError
from opsctl.migrate.explain import explain
from opsctl.migrate.model import Migration, RefusedMigrationError, Standing, State
from opsctl.migrate.prepare import prepare
from opsctl.migrate.project import Project
from opsctl.migrate.read import stripped
from opsctl.migrate.run_model import Event, Tell, Work
from opsctl.migrate.tracking_table import Ledger
from opsctl.systems.sql_scripts import ScriptError


def choose(found: Sequence[Standing], *, to: int | None, step: int | None) -> list[Migration]:
    """Name the files to take back, the last one first; without a wish, only the last."""
    if to is not None and step is not None:
        raise UsageError("--to and --step say two different things", hint="Give one of them.")
    applied = [s for s in reversed(found) if s.applied is not None]
    if to is not None and not any(s.version == to for s in found) and to != 0:
        raise UsageError(f"there is no migration {to}", hint="`opsctl migrate status` lists them.")
    wanted = [s for s in applied if s.version > to] if to is not None else applied[: step or 1]
    return [_reversible(standing) for standing in wanted]


def _reversible(standing: Standing) -> Migration:
    migration = standing.migration
    why, hint = "", "`opsctl migrate status` shows all of it."
    if migration is None or standing.state is State.MISSING:
        why = "its file is gone"
    elif standing.state is State.INTERRUPTED:
        why, hint = standing.note, "Finish it first: opsctl migrate --resume"
    elif migration.down is None:
        stem = migration.file.removesuffix(".sql").removesuffix(".up")
        why, hint = "it has no down part", f"Write {stem}.down.sql, or a new file that repairs it."
    if migration is None or why:
        raise RefusedMigrationError(
            f"{standing.label} cannot be taken back", why=f"{why}; nothing was changed", hint=hint
        )
    return migration


def prepare_down(project: Project, migrations: Sequence[Migration]) -> list[Work]:
    """Read the down parts by the same rules as the files."""
    names = {migration.down: migration for migration in migrations if migration.down}
    found = project.folder.read(project.directory, names)
    return [
        prepare(names[name], project.rules, partial(stripped, data), file=name)
        for name, data in found
    ]


def take_back(project: Project, ledger: Ledger, works: Sequence[Work], tell: Tell) -> list[str]:
    """Keep other runners out, and run one down part after the other."""
    done: list[str] = []
    with project.dialect.hold(ledger.session, wait_s=project.patience.runner_s):
        for work in works:
            began = project.clock.steady()
            _take_back(ledger, work, done)
            duration_ms = round((project.clock.steady() - began) * 1000)
            migration = work.migration
            tell(Event("taken back", migration.version, migration.name, work.file, duration_ms))
            done.append(work.file)
    return done


def _take_back(ledger: Ledger, work: Work, done: Sequence[str]) -> None:
    try:
        ledger.run_down(work)
    except ScriptError as error:
        before = ", ".join(done) or "nothing"
        state = f"this file left nothing behind; taken back before it: {before}"
        raise explain(error, work, ledger.dialect, state=state) from error
