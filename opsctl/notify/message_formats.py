"""Formats messages for each channel: text, a subject line, JSON, Slack."""

import json
from dataclasses import asdict
from datetime import datetime

from opsctl.notify.model import AlertEvent, AlertMessage, Bundle, JsonObject, Severity

SCHEMA = "opsctl.notice/1"
MAX_SUBJECT_CHARS = 140
_SEVERITY_LABELS = {
    Severity.INFO: "info",
    Severity.WARNING: "WARNING",
    Severity.CRITICAL: "CRITICAL",
}


def pack_message(message: AlertMessage) -> JsonObject:
    return {**asdict(message), "at": message.at.isoformat()}


def unpack_message(stored: JsonObject) -> AlertMessage:
    return AlertMessage(
        key=stored["key"],
        topic=stored["topic"],
        severity=Severity(stored["severity"]),
        event=AlertEvent(stored["event"]),
        summary=stored["summary"],
        at=datetime.fromisoformat(stored["at"]),
        fix=stored["fix"],
        where=stored["where"],
    )


def format_headline(message: AlertMessage) -> str:
    label = (
        "resolved" if message.event is AlertEvent.RESOLVED else _SEVERITY_LABELS[message.severity]
    )
    return f"[{message.where}] {label}: {message.summary}"


def format_text(bundle: Bundle) -> str:
    return "\n\n".join(_format_paragraph(message) for message in bundle.messages)


def _format_paragraph(message: AlertMessage) -> str:
    lines = [format_headline(message), f"{message.key}, {message.at:%Y-%m-%d %H:%M:%S} UTC"]
    return "\n".join([*lines, f"To fix: {message.fix}"] if message.fix else lines)


def format_subject(bundle: Bundle) -> str:
    """Put the worst into one line, followed by how many more there are."""
    first = max(bundle.messages, key=_urgency)
    more = len(bundle.messages) - 1
    line = " ".join(format_headline(first).split())[:MAX_SUBJECT_CHARS]
    return f"{line} (and {more} more)" if more else line


def _urgency(message: AlertMessage) -> tuple[bool, int]:
    return message.event is AlertEvent.RAISED, message.severity.rank


def format_json(bundle: Bundle) -> bytes:
    notices = [pack_message(message) for message in bundle.messages]
    return json.dumps({"schema": SCHEMA, "id": bundle.id, "notices": notices}).encode()
