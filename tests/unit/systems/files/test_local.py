"""Files are read strictly, replaced whole, never overwritten by accident, and locked."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsctl.errors import BusyError, OpsctlError, RefusedError
from opsctl.systems.files.local import (
    BY_ERRNO,
    DiskFullError,
    FileExistsAlreadyError,
    LocalFiles,
    MissingFileError,
    translate,
)

FILES = LocalFiles()


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def test_a_missing_file_differs_from_other_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"cannot read .*/absent") as caught:
        FILES.read_text(tmp_path / "absent")

    assert caught.value.why == "it does not exist"


def test_a_directory_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpsctlError) as caught:
        FILES.read_text(tmp_path)

    assert caught.value.why == "it is a directory, not a file"


def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OpsctlError) as caught:
        FILES.read_text(tmp_path / "pipe")

    assert caught.value.why == "it is not a regular file"


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"one\ntwo\nthr\xe9e\n")

    with pytest.raises(OpsctlError) as caught:
        FILES.read_text(tmp_path / "latin")

    assert caught.value.why == "line 3 is not UTF-8 (byte 11 is 0xe9)"


def test_a_file_on_the_limit_is_read_and_one_over_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "four").write_text("four")

    assert FILES.read_text(tmp_path / "four", limit_bytes=4) == "four"
    with pytest.raises(OpsctlError) as caught:
        FILES.read_text(tmp_path / "four", limit_bytes=3)

    assert caught.value.why == "it is larger than 3 bytes"


@pytest.mark.parametrize("name", ["nul\0", "n" * 300, "part/of/a/path"])
def test_an_impossible_name_is_our_error_whatever_is_done(tmp_path: Path, name: str) -> None:
    (tmp_path / "part").write_text("a file")
    path = tmp_path / name

    for attempt in (
        lambda: FILES.read_text(path),
        lambda: FILES.write_text(path, "x"),
        lambda: FILES.create_text(path, "x"),
        lambda: FILES.make_private_dir(path),
        lambda: FILES.hold(path).__enter__(),
        lambda: FILES.free_bytes(path),
    ):
        with pytest.raises(OpsctlError):
            attempt()

    assert names_in(tmp_path) == ["part"]


@pytest.mark.usefixtures("open_umask")
def test_a_written_file_has_the_mode_asked_for_and_leaves_nothing_beside_it(
    tmp_path: Path,
) -> None:
    FILES.write_text(tmp_path / "private", "new")
    FILES.write_text(tmp_path / "public", "new", mode=0o644)

    assert mode_of(tmp_path / "private") == 0o600
    assert mode_of(tmp_path / "public") == 0o644
    assert names_in(tmp_path) == ["private", "public"]


def test_a_reader_of_the_old_file_keeps_the_old_text_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")

    with (tmp_path / "file").open() as reader:
        FILES.write_text(tmp_path / "file", "new")
        seen = reader.read()

    assert seen == "old"
    assert (tmp_path / "file").read_text() == "new"


def test_a_write_that_fails_leaves_the_old_file_and_no_temporary(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(OpsctlError, match="cannot write"):
        FILES.write_text(tmp_path / "taken", "new")

    assert names_in(tmp_path) == ["taken"]


def test_a_link_at_the_target_is_refused_and_its_file_untouched(tmp_path: Path) -> None:
    (tmp_path / "sentinel").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "sentinel")

    with pytest.raises(OpsctlError) as caught:
        FILES.write_text(tmp_path / "link", "overwritten")

    assert caught.value.why == "it is a symbolic link"
    assert (tmp_path / "sentinel").read_text() == "precious"
    assert (tmp_path / "link").is_symlink()


def test_a_link_is_followed_when_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")

    FILES.write_text(tmp_path / "link", "new", follow_link=True)

    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "link").is_symlink()


def test_creating_never_overwrites_and_cleans_up_after_itself(tmp_path: Path) -> None:
    FILES.create_text(tmp_path / "first", "mine")

    with pytest.raises(FileExistsAlreadyError):
        FILES.create_text(tmp_path / "first", "yours")

    assert (tmp_path / "first").read_text() == "mine"
    assert mode_of(tmp_path / "first") == 0o600
    assert names_in(tmp_path) == ["first"]


def test_creating_over_a_dangling_link_writes_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileExistsAlreadyError):
        FILES.create_text(tmp_path / "link", "text")

    assert names_in(tmp_path) == ["link"]


@pytest.mark.usefixtures("open_umask")
def test_a_private_directory_and_each_missing_parent_are_0700(tmp_path: Path) -> None:
    FILES.make_private_dir(tmp_path / "a" / "b")
    FILES.make_private_dir(tmp_path / "a" / "b")

    assert mode_of(tmp_path / "a") == 0o700
    assert mode_of(tmp_path / "a" / "b") == 0o700


def test_a_directory_others_can_enter_is_refused_unchanged(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)

    with pytest.raises(RefusedError) as caught:
        FILES.make_private_dir(tmp_path / "shared")

    assert caught.value.hint == f"chmod 700 {tmp_path / 'shared'}"
    assert mode_of(tmp_path / "shared") == 0o755


def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OpsctlError) as caught:
        FILES.make_private_dir(tmp_path / "file")

    assert caught.value.why == "a file of that name is there"


def test_a_held_file_is_busy_for_the_next_and_free_afterwards(tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    with FILES.hold(lock):
        held_inside = FILES.is_held(lock)
        with pytest.raises(BusyError), FILES.hold(lock):
            pass

    assert held_inside
    assert not FILES.is_held(lock)
    assert mode_of(lock) == 0o600


def test_looking_at_a_lock_neither_makes_its_file_nor_takes_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"

    looked = FILES.is_held(lock)

    assert not looked
    assert names_in(tmp_path) == []


def test_a_link_in_place_of_a_lock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sentinel").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "sentinel")

    with pytest.raises(OpsctlError), FILES.hold(tmp_path / "lock") as held:
        held.write("overwritten")

    assert (tmp_path / "sentinel").read_text() == "precious"


def test_a_shorter_text_in_a_lock_file_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    with FILES.hold(tmp_path / "lock") as held:
        held.write("a long text")
        held.write("short")

    assert (tmp_path / "lock").read_text() == "short"


def test_free_space_is_what_a_user_may_still_write(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)

    free = FILES.free_bytes(tmp_path)

    assert 0 < free <= found.f_bfree * found.f_frsize


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_answer_of_the_system_becomes_our_error_with_a_reason(number: int) -> None:
    error = translate(OSError(number, os.strerror(number)), what="cannot do it")

    assert isinstance(error, OpsctlError)
    assert error.what == "cannot do it"
    assert error.why


@pytest.mark.parametrize(
    "name",
    # What open, write, fsync, link, rename, mkdir, flock and statvfs are documented to answer.
    [
        *("EACCES", "EBUSY", "EDQUOT", "EEXIST", "EFBIG", "EIO", "EISDIR", "ELOOP", "EMFILE"),
        *("ENAMETOOLONG", "ENFILE", "ENOENT", "ENOLCK", "ENOSPC", "ENOTDIR", "ENXIO"),
        *("EOPNOTSUPP", "EPERM", "EROFS", "ESTALE", "ETXTBSY", "EWOULDBLOCK", "EXDEV"),
    ],
)
def test_each_documented_error_number_is_translated(name: str) -> None:
    assert getattr(errno, name) in BY_ERRNO


def test_a_full_disk_is_its_own_error_with_a_way_out() -> None:
    error = translate(OSError(errno.ENOSPC, "No space left on device"), what="cannot write x")

    assert isinstance(error, DiskFullError)
    assert error.why == "the disk is full"
    assert "df -h" in error.hint


def test_an_error_without_a_number_still_says_something() -> None:
    assert translate(OSError(), what="cannot do it").why == "OSError"
