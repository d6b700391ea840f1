"""Frozen values with named fields."""

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Value:
    """Frozen values, by position or by name, as of a NamedTuple or a frozen dataclass.

    Those write code for each class and compile it, at every start: a sixth of a short command.
    Rows, statements and whatever else a run with nothing to do makes by the thousand stay
    NamedTuples: each of those is made in a third of the time or less.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        cls._fields = tuple(dict.fromkeys((*cls._fields, *cls.__annotations__)))
        cls._names = frozenset(cls._fields)
        given = {name: own[name] for name in cls.__annotations__ if name in own}
        cls._defaults = cls._defaults | given

    def __init__(self, *args: Any, **given: Any) -> None:  # noqa: ANN401 - each class says what it takes
        values = self.__dict__
        values.update(self._defaults, **given)
        if args:
            values.update(zip(self._fields, args, strict=False))
        twice = args and given and not given.keys().isdisjoint(self._fields[: len(args)])
        if twice or len(args) > len(self._fields) or values.keys() != self._names:
            raise TypeError(f"{type(self).__name__} takes {', '.join(self._fields)}")

    def replaced(self, **changes: Any) -> Self:  # noqa: ANN401 - same
        return type(self)(**{**vars(self), **changes})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be removed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(tuple(map(vars(self).get, self._fields)))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({inner})"
