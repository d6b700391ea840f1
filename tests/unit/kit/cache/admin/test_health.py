import pytest

from opsctl.kit.cache.admin.health import is_full


@pytest.mark.parametrize(
    ("about", "full"),
    [
        ({"maxmemory": "0", "maxmemory_policy": "noeviction", "used_memory": "9"}, False),
        ({"maxmemory": "9", "maxmemory_policy": "noeviction", "used_memory": "8"}, False),
        ({"maxmemory": "9", "maxmemory_policy": "noeviction", "used_memory": "9"}, True),
        ({"maxmemory": "9", "maxmemory_policy": "allkeys-lru", "used_memory": "9"}, False),
        ({}, False),
    ],
)
def test_only_a_server_that_evicts_nothing_is_ever_full(about: dict[str, str], full: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_full(about) is full
