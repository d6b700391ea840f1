"""Convert times and details to columns and back."""

import json
from datetime import UTC, datetime
from typing import Any

from opsctl.state.model import Details


def format_time(at: datetime) -> str:
    """Format a time so that texts sort as times do; a time without a zone is a bug."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def format_time_or_none(at: datetime | None) -> str | None:
    return None if at is None else format_time(at)


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def parse_time_or_none(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)


def dump_details(details: Details) -> str:
    return json.dumps(dict(details), sort_keys=True, ensure_ascii=True)


def load_details(text: str) -> dict[str, Any]:
    details: dict[str, Any] = json.loads(text)
    return details
