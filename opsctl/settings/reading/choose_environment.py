"""Chooses the environment: prod, dev or local."""

from collections.abc import Iterable
from typing import get_args

from opsctl.errors import SettingsError
from opsctl.settings.model import EnvironmentName, Settings
from opsctl.settings.reading.layers import GivenValue
from opsctl.settings.reading.origin import DEFAULT, Origin
from opsctl.settings.reading.parse_dotenv import Variable

APP_ENV = {"production": "prod", "development": "dev"}
ENVIRONMENTS: tuple[EnvironmentName, ...] = get_args(EnvironmentName)


def choose_environment(
    flag: str | None, layers: Iterable[Iterable[Variable]], written: Iterable[GivenValue]
) -> GivenValue:
    """Take -e, else OPSCTL_ENV or APP_ENV (source by source), else the file."""
    if flag is not None:
        return _named(flag, Origin("flag -e"))
    for layer in layers:
        by_name = {variable.name: variable for variable in layer if variable.value}
        if own := by_name.get("OPSCTL_ENV"):
            return _named(own.value, own.place)
        if app := by_name.get("APP_ENV"):
            return GivenValue("env", _from_app_env(app), app.place)
    for value in written:
        if value.path == "env":
            return _named(str(value.value), value.place)
    return GivenValue("env", Settings.declared["env"].default, DEFAULT)


def app_env(env: str) -> str:
    """Give the APP_ENV of a container in this environment; local counts as development."""
    return "production" if env == "prod" else "development"


def overlays(env: str) -> tuple[str, ...]:
    """Name the overlay files; local overrides dev."""
    return ("dev", "local") if env == "local" else (env,)


def _named(name: str, place: Origin) -> GivenValue:
    if name not in ENVIRONMENTS:
        raise SettingsError(
            f"{place}: {name!r} is not an environment",
            hint=f"Use one of {', '.join(ENVIRONMENTS)}.",
        )
    return GivenValue("env", name, place)


def _from_app_env(variable: Variable) -> str:
    if variable.value in APP_ENV:
        return APP_ENV[variable.value]
    from opsctl.settings.reading.keys import closest_match  # noqa: PLC0415 - only a typo pays

    match = closest_match(variable.value, APP_ENV)
    raise SettingsError(
        f"{variable.place}: APP_ENV is {variable.value!r}",
        why="the stack knows APP_ENV=production and APP_ENV=development",
        hint=f"Did you mean {match}?" if match else "Set one of them.",
    )
