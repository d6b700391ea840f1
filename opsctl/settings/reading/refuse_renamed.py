"""Refuses old names of settings: in a file, a variable or a flag."""

from functools import cache

from opsctl.errors import SettingsError
from opsctl.settings.reading.origin import Origin
from opsctl.settings.reading.parse_dotenv import Variable
from opsctl.settings.renamed import RENAMED


def refuse_renamed_key(path: str, origin: Origin) -> None:
    if new := RENAMED.get(path):
        raise _renamed_error(path, new, origin)


def refuse_renamed_variable(variable: Variable) -> None:
    """Refuse the variable of an old key; an empty one counts as unset, as everywhere."""
    if variable.value and (new := renamed_variables().get(variable.name)):
        raise _renamed_error(variable.name, new, variable.place)


@cache
def renamed_variables() -> dict[str, str]:
    return {_variable_name(old): _variable_name(new) for old, new in RENAMED.items()}


def _variable_name(path: str) -> str:
    return "OPSCTL_" + path.upper().replace(".", "_")


def _renamed_error(old: str, new: str, origin: Origin) -> SettingsError:
    return SettingsError(f"{origin}: {old} was renamed", hint=f"Use {new} instead of {old}.")
