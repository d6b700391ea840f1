from opsctl.units import format_bytes, format_duration


def test_bytes_are_formatted_in_the_largest_unit_that_fits() -> None:
    sizes = (0, 1023, 1024, 1536 * 1024, -2048, 1024**6)

    assert [format_bytes(size) for size in sizes] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 MiB",
        "-2.0 KiB",
        "1024.0 PiB",
    ]


def test_durations_are_formatted_in_at_most_two_units() -> None:
    assert [format_duration(s) for s in (3.6, 59.7, 200, 3900)] == [
        "4 s",
        "1 min 0 s",
        "3 min 20 s",
        "1 h 5 min",
    ]
