"""Each exit code of the terminal contract, as text and as JSON."""

import fcntl
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.engines.addresses import Address
from tests.engines.disks import SmallDisk
from tests.scenarios.conftest import Program
from tests.waiting import wait_for

FORMS = ((), ("--json",))


@pytest.mark.parametrize("form", FORMS)
def test_0_all_is_well(project: Program, form: tuple[str, ...]) -> None:
    answer = project("config", "check", *form)

    assert (answer.code, answer.err) == (0, "")
    if form:
        assert answer.json["schema"] == "opsctl.config.check/1"


@pytest.mark.parametrize("form", FORMS)
def test_1_tried_and_failed(opsctl: Program, form: tuple[str, ...]) -> None:
    # Nobody, root included, can make files there.
    answer = opsctl("init", "-C", "/sys", *form)

    assert answer.code == 1
    assert "cannot make the directory /sys/configs" in answer.out + answer.err


def test_1_a_full_disk_keeps_nothing_half(opsctl: Program, small_disk: SmallDisk) -> None:
    mount = small_disk(1)
    fill(mount / "ballast")

    answer = opsctl("init", "-C", str(mount))

    assert answer.code == 1
    assert "the disk is full" in answer.err
    assert "removed again" in answer.err
    assert {path.name for path in mount.iterdir()} <= {"ballast", "lost+found"}


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass


USAGE = [
    (("frobnicate",), "No such command 'frobnicate'"),
    (("docter",), "Did you mean 'doctor'?"),
    (("doctor", "--forse"), "No such option"),
    (("doctor", "--timeout", "soon"), "not a duration"),
    (("completion", "tcsh"), "'tcsh'"),
    (("config",), "--help"),
]


@pytest.mark.parametrize(("words", "said"), USAGE)
def test_2_wrong_usage_says_what_is_right(
    project: Program, words: tuple[str, ...], said: str
) -> None:
    answer = project(*words)

    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


def test_2_a_format_that_a_command_lacks_is_refused_in_that_format(project: Program) -> None:
    answer = project("config", "show", "-o", "junit")

    assert answer.code == 2
    assert "cannot print junit" in answer.out


def test_2_as_json_too(project: Program) -> None:
    answer = project("frobnicate", "--json")

    assert answer.code == 2
    assert answer.json["error"]["code"] == "usage"


@pytest.mark.parametrize("form", FORMS)
def test_3_a_check_found_trouble(project: Program, form: tuple[str, ...]) -> None:
    answer = project("config", "check", *form, environ={"OPSCTL_REDIS_PROT": "1"})

    assert answer.code == 3
    assert "OPSCTL_REDIS_PROT" in answer.out


@pytest.mark.parametrize("form", FORMS)
def test_4_changes_are_pending_only_when_asked(opsctl: Program, form: tuple[str, ...]) -> None:
    assert opsctl("init", "-n", *form).code == 0
    assert opsctl("init", "-n", "--exit-code", *form).code == 4

    opsctl("init")

    assert opsctl("init", "-n", "--exit-code", *form).code == 0


@pytest.mark.parametrize("form", FORMS)
def test_5_a_guard_refused_and_nothing_was_changed(
    opsctl: Program, git: Callable[..., str], form: tuple[str, ...]
) -> None:
    git(opsctl.directory, "init", "-q", "-b", "exp/new-scalping")

    answer = opsctl("init", "-e", "prod", *form)

    assert answer.code == 5
    assert "experiments never change it" in answer.out + answer.err
    assert [path.name for path in opsctl.directory.iterdir()] == [".git"]


@pytest.mark.parametrize("form", FORMS)
def test_6_a_setting_is_wrong_and_its_place_is_named(
    project: Program, form: tuple[str, ...]
) -> None:
    project.write("configs/dev.yaml", "redis:\n  prot: 1\n")

    answer = project("config", "check", *form)

    assert answer.code == 6
    if form:
        assert answer.json["error"] == {
            "code": "settings",
            "what": "configs/dev.yaml:2: redis.prot is not a setting",
            "why": "",
            "fix": "Did you mean redis.port?",
        }
    else:
        assert "configs/dev.yaml:2: redis.prot is not a setting" in answer.err
        assert "try: Did you mean redis.port?" in answer.err


DEAD = ("dead_address", "black_hole", "full_backlog")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", DEAD)
@pytest.mark.parametrize("system", ["redis", "postgres"])
def test_7_a_dead_system_is_told_within_its_deadline(
    project: Program, request: pytest.FixtureRequest, kind: str, system: str, form: tuple[str, ...]
) -> None:
    address: Address = request.getfixturevalue(kind)
    place = f"{address.host}:{address.port}"
    environ = {
        "redis": {
            "REDIS_ENABLED": "true",
            "REDIS_HOST": address.host,
            "REDIS_PORT": str(address.port),
        },
        "postgres": {"DATABASE_URL": f"postgresql://app:canary@{place}/ticks"},
    }[system]

    answer = project("config", "check", "--connect", *form, environ=environ)

    said = answer.out + answer.err
    assert answer.code == 7
    assert place in said
    assert "canary" not in said
    assert "Traceback" not in said


def test_8_what_could_not_be_put_back_is_named(opsctl: Program, root_machine: None) -> None:  # noqa: ARG001 - asked for its skip
    configs = opsctl.directory / "configs"
    configs.mkdir()
    # In an append-only folder files can be made, and not removed again.
    subprocess.run(["chattr", "+a", configs], check=True)
    try:
        answer = opsctl("init")
        answer_json = opsctl("init", "--json")
    finally:
        subprocess.run(["chattr", "-a", configs], check=True)

    assert (answer.code, answer_json.code) == (8, 8)
    assert "cannot remove what was written" in answer.err
    assert str(configs) in answer.err
    assert answer_json.json["error"]["code"] == "unrestored"


@pytest.fixture
def holder(opsctl: Program) -> Path:
    """A lock that this process holds, as another init would."""
    state = Path(opsctl.environ["HOME"]) / ".local/state/opsctl/project"
    state.mkdir(parents=True, mode=0o700)
    for folder in (state, *list(state.parents)[:3]):
        folder.chmod(0o700)
    lock = state / "init.lock"
    lock.touch(mode=0o600)
    return lock


@pytest.mark.parametrize("form", FORMS)
def test_75_someone_else_holds_the_lock(
    opsctl: Program, holder: Path, form: tuple[str, ...]
) -> None:
    with holder.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write('{"who": "op@box", "host": "box", "pid": 7, "since": '
                   '"2026-01-12T09:00:00.000000+00:00", "purpose": "opsctl init"}')  # fmt: skip
        file.flush()
        answer = opsctl("init", *form)

    assert answer.code == 75
    assert "held by op@box (pid 7) since 2026-01-12 09:00:00 UTC" in answer.out + answer.err
    assert "--lock-timeout" in answer.out + answer.err
    assert opsctl("init", *form).code == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_130_interrupted_says_what_was_left(
    opsctl: Program, holder: Path, number: signal.Signals, form: tuple[str, ...]
) -> None:
    with holder.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = opsctl.start("init", "--lock-timeout", "60s", *form)
        wait_for(lambda: _has_begun(holder.with_name("state.db")), 60, "init is on record")
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert f"interrupted by {number.name}" in out + err
    assert "nothing was changed" in out + err
    assert "Traceback" not in err
    assert list(opsctl.directory.iterdir()) == []


def _has_begun(store: Path) -> bool:
    """See the intent in the audit: what follows is the wait for the lock."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
            return bool(database.execute("SELECT 1 FROM audit").fetchone())
    except sqlite3.Error:
        return False
