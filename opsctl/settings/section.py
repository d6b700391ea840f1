"""What every section of the settings is made of."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Frozen, and closed: a key that no field names is refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True
    )


def setting(default: Any, says: str, *, env: tuple[str, ...] = (), **bounds: Any) -> Any:
    """Declare one value: its default, what it means, and which variables of the stack set it."""
    return Field(default, description=says, json_schema_extra={"env": list(env)}, **bounds)
