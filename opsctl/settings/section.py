"""What every section of the settings is made of; what checks it is in `checked`."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

Check = Callable[[Any], None]


class SettingDeclaration(NamedTuple):
    """One value: its default, what it means, which variables of the stack set it, its bounds."""

    default: Any
    description: str
    env: tuple[str, ...]
    bounds: Mapping[str, Any]
    check: Check | None
    annotation: Any = None


def setting(
    default: Any,
    says: str,
    *,
    env: tuple[str, ...] = (),
    check: Check | None = None,
    **bounds: Any,
) -> Any:
    """Declare one value; bounds are pydantic's, and `check` raises a ValueError."""
    return SettingDeclaration(default, says, env, bounds, check)


def subsection(default: "Section") -> Any:
    """Declare a section of the settings; its own first line says what it means."""
    return SettingDeclaration(default, "", (), {}, None)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Section:
    """Frozen values with defaults. Whatever made it has checked them: files and variables are.

    A plain class, so that a command whose settings did not change since they were checked
    need not load what checks them.
    """

    declared: ClassVar[Mapping[str, SettingDeclaration]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        found = {
            name: value
            for name, value in vars(cls).items()
            if isinstance(value, SettingDeclaration)
        }
        for name, value in found.items():
            found[name] = value._replace(annotation=cls.__annotations__[name])
            setattr(cls, name, value.default)
        cls.declared = MappingProxyType(found)

    def __init__(self, **given: Any) -> None:
        if unknown := given.keys() - self.declared.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        vars(self).update(given)

    def check(self) -> None:
        """Raise a ValueError where values do not go together."""

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
