"""Volumes and networks of a compose project, as its file declares them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DeclaredResource:
    """A volume or a network; `key` is its name in the file, `name` its name on the engine."""

    key: str
    name: str
    is_external: bool = False
    device: str = ""
    """The folder of the host that a volume really is; empty for one that the engine keeps."""

    def has_fixed_name(self, project: str) -> bool:
        """Whether every project that declares it gets the same one."""
        return not self.is_external and self.name not in {f"{project}_{self.key}", ""}


def read_resources(raw: Mapping[str, Any] | None) -> tuple[DeclaredResource, ...]:
    return tuple(_read_resource(key, entry or {}) for key, entry in (raw or {}).items())


def _read_resource(key: str, raw: Mapping[str, Any]) -> DeclaredResource:
    options = raw.get("driver_opts") or {}
    is_bound = "bind" in str(options.get("o") or "").replace("rbind", "bind").split(",")
    device = str(options.get("device") or "") if is_bound else ""
    return DeclaredResource(key, raw.get("name") or "", bool(raw.get("external")), device)
