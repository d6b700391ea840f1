import pytest

from opsctl.deploy.locking.manual_lock import ManualLock, format_manual_lock, parse_manual_lock

LOCK = ManualLock("me@here", "2026-01-01 00:00:00 UTC", "a backup\nis restored")


def test_a_record_is_read_as_it_was_written() -> None:
    assert parse_manual_lock(format_manual_lock(LOCK)) == LOCK


def test_what_an_older_and_longer_record_left_is_ignored() -> None:
    assert parse_manual_lock(format_manual_lock(LOCK) + 'ing", "message": "x"}') == LOCK


@pytest.mark.parametrize("text", ["", "\n", "  "])
def test_an_empty_file_is_no_lock(text: str) -> None:
    assert parse_manual_lock(text) is None


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"who": 1}', "locked"])
def test_any_other_content_is_a_lock_of_someone_unknown(text: str) -> None:
    lock = parse_manual_lock(text)

    assert lock is not None
    assert lock.description == "locked by someone whose name is not recorded"
