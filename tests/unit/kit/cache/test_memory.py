import threading

from hypothesis import given
from hypothesis import strategies as st

from opsctl.kit.cache.memory import OVERHEAD_BYTES, MemoryCache
from tests.fakes.clock import HandClock


def memory(
    clock: HandClock | None = None, *, entries: int = 1000, size: int = 100 * 1024 * 1024
) -> MemoryCache:
    return MemoryCache((clock or HandClock()).steady, most_entries=entries, most_bytes=size)


def test_what_was_put_is_there_until_its_time() -> None:
    clock = HandClock()
    store = memory(clock)
    store.put("a", b"1", life_s=10)

    clock.sleep(9.9)
    before = store.get("a")
    clock.sleep(0.1)

    assert (before, store.get("a")) == (b"1", None)
    assert (len(store), store.bytes, store.hits) == (0, 0, 1)


def test_the_least_recently_used_goes_first() -> None:
    store = memory(entries=2)
    for key in "ab":
        store.put(key, b"", life_s=9)
    store.get("a")

    store.put("c", b"", life_s=9)

    assert [key for key in "abc" if store.get(key) is not None] == ["a", "c"]
    assert store.evictions == 1


def test_bytes_are_bounded_as_well_as_entries() -> None:
    store = memory(size=10 * (OVERHEAD_BYTES + 1001))
    for index in range(99):
        store.put(str(index % 10), b"x" * 1000, life_s=9)
    full = len(store)

    store.put("big", b"x" * 5000, life_s=9)
    too_big = store.put("huge", b"x" * 50_000, life_s=9)

    assert full == 10
    assert store.bytes <= 10 * (OVERHEAD_BYTES + 1001)
    assert store.get("big") is not None
    assert (too_big, store.get("huge")) == (False, None)


def test_a_value_too_large_to_keep_takes_the_old_one_away() -> None:
    store = memory(size=2000)
    store.put("a", b"old", life_s=9)

    store.put("a", b"x" * 5000, life_s=9)

    assert store.get("a") is None


def test_a_stale_value_can_be_looked_up_but_not_got() -> None:
    clock = HandClock()
    store = memory(clock)
    store.put("a", b"1", life_s=10, fresh_s=5)
    clock.sleep(6)

    entry = store.lookup("a")

    assert store.get("a") is None
    assert entry is not None
    assert entry.value == b"1"
    assert store.left_s("a") is None


def test_what_changed_while_it_was_read_is_not_kept() -> None:
    store = memory()
    generation = store.generation
    store.delete(["other"])

    kept = store.put("a", b"old", life_s=9, generation=generation)

    assert (kept, store.get("a")) == (False, None)


def test_patterns_are_those_of_redis() -> None:
    store = memory()
    for key in ("news_1", "news_2", "note"):
        store.put(key, b"", life_s=9)

    assert store.delete_pattern("news_*") == 2
    assert store.get("note") == b""


def test_counting_keeps_the_first_time() -> None:
    clock = HandClock()
    store = memory(clock)
    store.add("n", 2, life_s=10)
    clock.sleep(9)

    assert store.add("n", 3, life_s=10) == 5
    clock.sleep(1)
    assert store.add("n", 1, life_s=10) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(0, 3000), st.sampled_from("psd")),
        max_size=60,
    )
)
def test_the_count_of_bytes_is_that_of_the_entries(steps: list[tuple[str, int, str]]) -> None:
    store = memory(entries=4, size=6000)
    for key, size, verb in steps:
        if verb == "d":
            store.delete([key])
        else:
            store.put(key, b"x" * size, life_s=9)

    held = [entry.size for entry in store._entries.values()]
    assert store.bytes == sum(held) <= 6000
    assert len(held) <= 4


def test_a_million_keys_leave_no_more_than_the_bound() -> None:
    store = memory(entries=1000)

    for index in range(1_000_000):
        store.put(str(index), b"", life_s=9)

    assert len(store) == 1000
    assert store.bytes == sum(entry.size for entry in store._entries.values())


def test_threads_share_it() -> None:
    store = memory(entries=50)

    def work() -> None:
        for index in range(3000):
            store.put(str(index % 99), b"x" * (index % 7), life_s=9)
            store.get(str(index % 50))
            store.delete([str(index % 31)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store) <= 50
    assert store.bytes == sum(entry.size for entry in store._entries.values())
