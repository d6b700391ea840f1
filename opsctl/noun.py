"""What a thing is: frozen values with names."""

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class Noun:
    """Frozen values, by position or by name, as of a NamedTuple or a frozen dataclass.

    Those write code for each class and compile it, at every start: a sixth of a short command.
    What a run makes by the thousand is a NamedTuple all the same: each is made in a third of
    the time.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        cls._fields = tuple(cls.__annotations__)
        cls._names = frozenset(cls._fields)
        cls._defaults = {name: own[name] for name in cls._fields if name in own}

    def __init__(self, *args: Any, **given: Any) -> None:  # noqa: ANN401 - each class says what it takes
        values = self.__dict__
        values.update(self._defaults, **given)
        if args:
            values.update(zip(self._fields, args, strict=False))
        if len(args) > len(self._fields) or values.keys() != self._names:
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
