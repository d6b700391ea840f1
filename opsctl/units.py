"""Says bytes as people do."""

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
STEP = 1024


def format_bytes(size: float) -> str:
    """Say 1.5 GiB; below a KiB whole bytes."""
    for unit in UNITS[:-1]:
        if abs(size) < STEP:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= STEP
    return f"{size:.1f} {UNITS[-1]}"
