"""Encodes values: a serialiser, compression of large values, and a header; never pickle."""

import json
import math
import struct
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from opsctl.kit.cache.model import CorruptValueError, Payload, StoredValue

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADER = struct.Struct("<BBII")
"""Marker, flags, milliseconds that it may be served stale, milliseconds that computing took."""
HEADER_BYTES = _HEADER.size
_MARKER = 0x01
_COMPRESSED = 1
_NUMBER = 2
_MOST_MS = 0xFFFFFFFF
_INT64 = 2**63


class Serializer(Protocol):
    def dumps(self, value: Any) -> bytes: ...  # noqa: ANN401 - a value is anything

    def loads(self, data: bytes) -> Any: ...  # noqa: ANN401 - same


class JsonSerializer:
    """JSON by orjson, or by the standard library where orjson is missing."""

    def __init__(self) -> None:
        self.dumps: Callable[[Any], bytes] = _json_dumps
        self.loads: Callable[[bytes], Any] = json.loads
        try:
            import orjson  # noqa: PLC0415 - optional
        except ImportError:
            return
        self.dumps, self.loads = orjson.dumps, orjson.loads


class Codec:
    def __init__(
        self, serializer: Serializer | None = None, *, compress_over: int, most_bytes: int
    ) -> None:
        serializer = serializer or JsonSerializer()
        self._dumps = serializer.dumps
        self.loads = serializer.loads
        self._compress_over = compress_over
        self._most_bytes = most_bytes

    def encode(self, value: Any) -> Payload | None:  # noqa: ANN401 - a value is anything
        """Serialise a value; None if it is too large. Plain integers stay integers, for `incr`."""
        if type(value) is int and -_INT64 <= value < _INT64:
            return value
        data = self._dumps(value)
        return data if len(data) <= self._most_bytes else None

    def decode(self, payload: Payload) -> Any:  # noqa: ANN401 - a value is anything
        return payload if isinstance(payload, int) else self.loads(payload)

    def wrap(self, payload: Payload, *, stale_s: float = 0.0, cost_s: float = 0.0) -> bytes:
        flags = 0
        if isinstance(payload, int):
            if not stale_s and not cost_s:
                return b"%d" % payload
            flags, payload = _NUMBER, b"%d" % payload
        data = payload
        if self._compress_over and len(payload) > self._compress_over:
            packed = zlib.compress(payload, 1)
            if len(packed) < len(payload):
                flags, data = flags | _COMPRESSED, packed
        return _HEADER.pack(_MARKER, flags, _ms(stale_s), _ms(cost_s)) + data

    def unwrap(self, raw: bytes) -> StoredValue:
        if raw[:1] != b"\x01":
            return StoredValue(_number(raw), 0.0, 0.0)
        try:
            _, flags, stale_ms, cost_ms = _HEADER.unpack_from(raw)
            data = raw[HEADER_BYTES:]
            data = self._inflate(data) if flags & _COMPRESSED else data
        except (struct.error, zlib.error) as error:
            raise _corrupt(str(error)) from error
        payload = _number(data) if flags & _NUMBER else data
        return StoredValue(payload, stale_ms / 1000, cost_ms / 1000)

    def _inflate(self, data: bytes) -> bytes:
        stream = zlib.decompressobj()
        payload = stream.decompress(data, self._most_bytes)
        if not stream.eof:
            raise _corrupt("it is larger than a value may be, or truncated")
        return payload


def read_stale_s(raw: bytes) -> float:
    """Read from the first bytes of an entry for how many seconds it may be served stale."""
    if raw[:1] != b"\x01" or len(raw) < HEADER_BYTES:
        return 0.0
    return float(_HEADER.unpack_from(raw)[2]) / 1000


def _ms(seconds: float) -> int:
    return min(_MOST_MS, math.ceil(seconds * 1000))


def _number(raw: bytes) -> int:
    try:
        return int(raw)
    except ValueError as error:
        raise _corrupt("it was not written by this cache") from error


def _corrupt(why: str) -> CorruptValueError:
    return CorruptValueError("cannot read a cached value", why=why, hint="Delete the key.")


def _json_dumps(value: Any) -> bytes:  # noqa: ANN401 - a value is anything
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
