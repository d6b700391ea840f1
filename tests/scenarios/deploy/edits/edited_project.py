"""One project made of many edits at once, deployed by opsctl, and once more by plain compose."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.scenarios.deploy.deployed_project import DeployedProject
from tests.scenarios.deploy.edits.edit_table import MOVING, ONE, TWO, Edit

REFERENCES = ("network_mode", "ipc", "pid")
COMPOSE_S = 240
UP = ("up", "--detach", "--remove-orphans", "--no-build", "--pull", "never")
LABEL = '{{{{index .Config.Labels "com.docker.compose.{}"}}}}'
SEEN = "{{.Name}} {{.Id}} {{.State.StartedAt}} {{.State.Running}}"
INSPECTED = f"{LABEL.format('service')}-{LABEL.format('container-number')} {SEEN}"


@dataclass(frozen=True, slots=True)
class Seen:
    """One container, as it is at one moment."""

    name: str
    id: str
    started_at: str
    is_running: bool


def write_project(edits: Iterable[Edit], project: str, *, after: bool) -> dict[str, Any]:
    """Make one compose file of all edits, each with names of its own."""
    made: dict[str, Any] = {"services": {}, "networks": {}, "volumes": {}}
    for edit in edits:
        for key, service in (edit.after if after else edit.before).items():
            made["services"][f"{edit.name}-{key}"] = _rename(edit, service, project)
        for key, value in edit.networks[after].items():
            made["networks"][f"{edit.name}-{key}"] = value
        for key, value in edit.volumes[after].items():
            made["volumes"][f"{edit.name}-{key}"] = value
    return made


def _rename(edit: Edit, service: Mapping[str, Any], project: str) -> dict[str, Any]:
    renamed, prefix = dict(service), f"{edit.name}-"
    if "depends_on" in service:
        renamed["depends_on"] = {prefix + key: how for key, how in service["depends_on"].items()}
    for key in ("links", "volumes_from"):
        if key in service:
            renamed[key] = [prefix + name for name in service[key]]
    for key in REFERENCES:
        renamed |= {key: service[key].replace(":", f":{prefix}")} if key in service else {}
    if "networks" in service:
        renamed["networks"] = _rename_networks(prefix, service["networks"])
    if "volumes" in service:
        renamed["volumes"] = [_rename_volume(prefix, volume) for volume in service["volumes"]]
    if "container_name" in service:
        renamed["container_name"] = service["container_name"].replace("@", f"{project}-{prefix}")
    return renamed


def _rename_networks(prefix: str, networks: Any) -> Any:
    if isinstance(networks, Mapping):
        return {prefix + name: how for name, how in networks.items()}
    return [name if name == "default" else prefix + name for name in networks]


def _rename_volume(prefix: str, volume: str) -> str:
    return volume if volume.startswith(("/", ".")) else prefix + volume


def prepare_images(project: DeployedProject, busybox: str) -> None:
    """Make two images of different content."""
    engine = project.engine
    for name in (ONE, TWO):
        container = engine.run("create", busybox)
        engine.run("commit", "--change", f"ENV MADE={name}", container, name)
        engine.run("rm", container)
    engine.run("tag", ONE, MOVING)


def run_compose(project: DeployedProject, name: str, made: Mapping[str, Any]) -> None:
    """Run what users run without opsctl."""
    file = project.directory / "plain.yml"
    file.write_text(json.dumps(made))
    place = ("--project-directory", str(project.directory), "-f", str(file))
    project.engine.run("compose", "-p", name, *place, *UP, timeout_s=COMPOSE_S)


def look(project: DeployedProject, name: str) -> dict[str, Seen]:
    """Look at every container of a compose project; a key is the service and a number."""
    label = f"label=com.docker.compose.project={name}"
    ids = project.engine.run("ps", "--all", "--quiet", "--filter", label).split()
    if not ids:
        return {}
    lines = project.engine.run("inspect", "--format", INSPECTED, *ids).splitlines()
    rows = (line.split() for line in lines)
    return {
        key: Seen(container.removeprefix("/"), identity, started, running == "true")
        for key, container, identity, started, running in rows
    }


def compare(before: Mapping[str, Seen], after: Mapping[str, Seen]) -> dict[str, str]:
    """Name what happened to each container; one that was left alone is not in it."""
    happened = {}
    for name in before.keys() | after.keys():
        if action := _compare(before.get(name), after.get(name)):
            happened[name] = action
    return happened


def _compare(old: Seen | None, new: Seen | None) -> str:
    if old is None or new is None:
        return "create" if old is None else "remove"
    if old.id != new.id:
        return "recreate"
    if old.started_at == new.started_at:
        return ""
    return "stop and start" if old.is_running else "start"


def read_planned(project: DeployedProject, shown: Mapping[str, Any]) -> dict[str, str]:
    """Read from a plan, before it runs, what it says of each container."""
    seen = look(project, project.compose_project)
    keys, prefix = {found.name: key for key, found in seen.items()}, f"{project.compose_project}-"
    actions = [found for found in shown["compose"]["actions"] if found["kind"] == "container"]
    planned = {}
    # A container that gets another name is removed and recreated: it is the same one here.
    for found in sorted(actions, key=lambda action: action["action"] != "remove"):
        is_fixed = not found["name"].startswith(f"{prefix}{found['service']}-")
        default = f"{found['service']}-1" if is_fixed else found["name"].removeprefix(prefix)
        planned[keys.get(found["name"]) or default] = str(found["action"])
    removed = {row["service"] for row in shown["services"] if row["change"] == "remove"}
    return planned | {key: "remove" for key in seen if key.rpartition("-")[0] in removed}
