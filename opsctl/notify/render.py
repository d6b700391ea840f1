"""Writes messages the way each kind of reader wants them."""

import json
from dataclasses import asdict
from datetime import datetime

from opsctl.notify.model import Bundle, Message, Packed, Said, Severity

SCHEMA = "opsctl.notice/1"
LONGEST_SUBJECT = 140
_MARKS = {Severity.INFO: "info", Severity.WARNING: "WARNING", Severity.CRITICAL: "CRITICAL"}


def pack(message: Message) -> Packed:
    return {**asdict(message), "at": message.at.isoformat()}


def unpack(kept: Packed) -> Message:
    return Message(
        key=kept["key"],
        topic=kept["topic"],
        severity=Severity(kept["severity"]),
        said=Said(kept["said"]),
        summary=kept["summary"],
        at=datetime.fromisoformat(kept["at"]),
        fix=kept["fix"],
        where=kept["where"],
    )


def headline(message: Message) -> str:
    mark = "resolved" if message.said is Said.RESOLVED else _MARKS[message.severity]
    return f"[{message.where}] {mark}: {message.summary}"


def as_text(bundle: Bundle) -> str:
    return "\n\n".join(_paragraph(message) for message in bundle.messages)


def _paragraph(message: Message) -> str:
    lines = [headline(message), f"{message.key}, {message.at:%Y-%m-%d %H:%M:%S} UTC"]
    return "\n".join([*lines, f"To mend it: {message.fix}"] if message.fix else lines)


def subject(bundle: Bundle) -> str:
    """Say the worst in one line; how many more there are stands behind it."""
    first = max(bundle.messages, key=_weight)
    more = len(bundle.messages) - 1
    line = " ".join(headline(first).split())[:LONGEST_SUBJECT]
    return f"{line} (and {more} more)" if more else line


def _weight(message: Message) -> tuple[bool, int]:
    return message.said is Said.RAISED, message.severity.rank


def as_json(bundle: Bundle) -> bytes:
    notices = [pack(message) for message in bundle.messages]
    return json.dumps({"schema": SCHEMA, "id": bundle.id, "notices": notices}).encode()


def as_slack(bundle: Bundle) -> bytes:
    return json.dumps({"text": _escaped(as_text(bundle))}).encode()


def _escaped(text: str) -> str:
    # Slack reads <...> as links and mentions: a name from outside must not page everybody.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
