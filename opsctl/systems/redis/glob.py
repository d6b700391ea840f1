"""Redis's own pattern matching, which is not fnmatch: `[!k]` and `[^k]` mean opposite things."""


def matches(pattern: str, text: str) -> bool:
    """Match as PSUBSCRIBE, SCAN MATCH and KEYS do."""
    return _matches(_octets(pattern), _octets(text))


def literal(text: str) -> str:
    """Write a text so that it matches itself alone."""
    return "".join(f"\\{letter}" if letter in "*?[]\\^" else letter for letter in text)


def is_literal(pattern: str) -> bool:
    return not any(letter in "*?[\\" for letter in pattern)


def _octets(text: str) -> str:
    # Redis matches bytes: `?` is half of an accented letter.
    return text.encode(errors="surrogateescape").decode("latin-1")


def _matches(pattern: str, text: str) -> bool:
    position, mark = 0, 0
    star: int | None = None
    at = 0
    while at < len(text):
        if position < len(pattern) and pattern[position] == "*":
            star, mark = position, at
            position += 1
            continue
        step = _one(pattern, position, text[at]) if position < len(pattern) else None
        if step is not None:
            position, at = step, at + 1
        elif star is not None:
            mark += 1
            position, at = star + 1, mark
        else:
            return False
    return not pattern[position:].strip("*")


def _one(pattern: str, position: int, letter: str) -> int | None:
    """Match one letter; the position after it in the pattern, or None."""
    sign = pattern[position]
    if sign == "[":
        return _set(pattern, position, letter)
    if sign == "\\" and position + 1 < len(pattern):
        position += 1
        sign = pattern[position]
        return position + 1 if sign == letter else None
    return position + 1 if sign in ("?", letter) else None


def _signed(letter: str) -> int:
    """Order bytes as Redis does on x86, where those over 127 come before all others."""
    return (ord(letter) ^ 128) - 128


def _set(pattern: str, position: int, letter: str) -> int | None:
    position += 1
    turned = pattern[position : position + 1] == "^"
    position += turned
    found = False
    while position < len(pattern) and pattern[position] != "]":
        last = pattern[position + 2 : position + 3]
        if pattern[position] == "\\" and position + 1 < len(pattern):
            found |= pattern[position + 1] == letter
            position += 2
        elif pattern[position + 1 : position + 2] == "-" and last:
            low, high = sorted((_signed(pattern[position]), _signed(last)))
            found |= low <= _signed(letter) <= high
            position += 3
        else:
            found |= pattern[position] == letter
            position += 1
    # An open set ends with the pattern, as in Redis.
    return min(position + 1, len(pattern)) if found != turned else None
