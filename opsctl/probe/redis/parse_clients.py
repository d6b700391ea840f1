"""Reads CLIENT LIST."""

from opsctl.health_rules.measurements import ClientConnection

_KINDS = {"P": "pubsub", "S": "replica", "M": "master"}


def parse_clients(text: str) -> tuple[ClientConnection, ...]:
    return tuple(_client(line) for line in text.splitlines() if line)


def _client(line: str) -> ClientConnection:
    fields = dict(pair.partition("=")[::2] for pair in line.split(" "))

    def number(name: str) -> int:
        value = fields.get(name, "0")
        return int(value) if value.lstrip("-").isdigit() else 0

    flags = fields.get("flags", "")
    return ClientConnection(
        id=fields.get("id", ""),
        name=fields.get("name", ""),
        address=fields.get("addr", ""),
        age_s=number("age"),
        idle_s=number("idle"),
        channels=number("sub"),
        patterns=number("psub"),
        waiting_bytes=number("omem"),
        command=fields.get("cmd", ""),
        kind=next((kind for flag, kind in _KINDS.items() if flag in flags), "normal"),
    )
