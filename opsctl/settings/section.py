"""The base of the sections of settings; `reading.validate` validates them."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

Check = Callable[[Any], None]


class SettingDeclaration(NamedTuple):
    """One setting: its default, meaning, further variables that set it, and bounds."""

    default: Any
    description: str
    env: tuple[str, ...]
    bounds: Mapping[str, Any]
    check: Check | None
    annotation: Any = None


def setting(
    default: Any,
    description: str,
    *,
    env: tuple[str, ...] = (),
    check: Check | None = None,
    **bounds: Any,
) -> Any:
    """Declare one setting; bounds are those of pydantic, and `check` raises a ValueError."""
    return SettingDeclaration(default, description, env, bounds, check)


def subsection(default: "Section") -> Any:
    """Declare a section of the settings; its docstring describes it."""
    return SettingDeclaration(default, "", (), {}, None)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Section:
    """Frozen values with defaults, validated before they get here.

    A plain class, so that a command whose settings are cached need not import pydantic.
    """

    declared: ClassVar[Mapping[str, SettingDeclaration]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        declared = {
            name: value
            for name, value in vars(cls).items()
            if isinstance(value, SettingDeclaration)
        }
        for name, value in declared.items():
            declared[name] = value._replace(annotation=cls.__annotations__[name])
            setattr(cls, name, value.default)
        cls.declared = MappingProxyType(declared)

    def __init__(self, **given: Any) -> None:
        if unknown := given.keys() - self.declared.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        vars(self).update(given)

    def check(self) -> None:
        """Raise a ValueError for values that contradict each other."""

    def replaced(self, **changes: Any) -> Self:
        return type(self)(**{**vars(self), **changes})

    def values(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in self.declared)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are frozen: {name} cannot be set")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and dict(self.values()) == dict(other.values())

    def __hash__(self) -> int:
        return hash(tuple(self.values()))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({inner})"
