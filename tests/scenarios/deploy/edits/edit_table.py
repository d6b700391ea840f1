"""Edits of compose files: before, after, and what is done by hand between two deploys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.engines.docker import BUSYBOX

Services = dict[str, dict[str, Any]]
# Starts and stops at once.
SLEEP: dict[str, Any] = {
    "image": BUSYBOX,
    "init": True,
    "stop_grace_period": "0s",
    "command": ["sleep", "100000"],
}
JOB: dict[str, Any] = {"image": BUSYBOX, "command": ["true"]}
HEALTHY = {"test": ["CMD", "true"], "interval": "0.5s"}
X: dict[str, Any] = {"environment": {"X": "1"}}
ONE, TWO, MOVING = "opsctl-edits:one", "opsctl-edits:two", "opsctl-edits:moving"
MOVE = f"tag {TWO} {MOVING}"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit; the names of its services, networks and volumes begin with its name."""

    name: str
    before: Services
    after: Services
    by_hand: tuple[str, ...] = ()
    """Docker commands, where @ stands for `<project>-<name of the edit>`."""
    networks: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    volumes: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
    differs: str = ""
    """Why opsctl does on purpose what compose does not."""


def s(**more: Any) -> dict[str, Any]:
    return {**SLEEP, **more}


def changed(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Edit:
    """Change one service, next to nothing else."""
    return Edit(name, {"a": s(**before)}, {"a": s(**after)})


def dependent(name: str, **how: Any) -> Edit:
    """Change the environment of a service that another one needs."""
    return Edit(name, {"a": s(), "b": s(**how)}, {"a": s(**X), "b": s(**how)})


def needs(other: str, condition: str = "service_started", **more: Any) -> dict[str, Any]:
    return {"depends_on": {other: {"condition": condition, **more}}}


def scaled(name: str, before: int, after: int, **more: Any) -> Edit:
    return Edit(
        name,
        {"a": s(deploy={"replicas": before})},
        {"a": s(deploy={"replicas": after}, **more)},
    )


DEPENDENCIES: Sequence[Edit] = (
    dependent("dep", **needs("a")),
    dependent("deprestart", **needs("a", restart=True)),
    dependent("links", links=["a"]),
    dependent("netmode", network_mode="service:a"),
    Edit(
        "ipc",
        {"a": s(ipc="shareable"), "b": s(ipc="service:a")},
        {"a": s(ipc="shareable", **X), "b": s(ipc="service:a")},
    ),
    dependent("pid", pid="service:a"),
    dependent("volumesfrom", volumes_from=["a"]),
    Edit(
        "dephealthy",
        {"a": s(healthcheck=HEALTHY), "b": s(**needs("a", "service_healthy"))},
        {"a": s(healthcheck=HEALTHY, **X), "b": s(**needs("a", "service_healthy"))},
    ),
    Edit(
        "deptwolevels",
        {"a": s(), "b": s(**needs("a")), "c": s(**needs("b"))},
        {"a": s(**X), "b": s(**needs("a")), "c": s(**needs("b"))},
    ),
    Edit("depadded", {"a": s(), "b": s()}, {"a": s(), "b": s(**needs("a"))}),
    Edit("depremoved", {"a": s(), "b": s(**needs("a"))}, {"a": s(), "b": s()}),
    Edit(
        "depcondition",
        {"a": s(healthcheck=HEALTHY), "b": s(**needs("a"))},
        {"a": s(healthcheck=HEALTHY), "b": s(**needs("a", "service_healthy"))},
    ),
    Edit(
        "depreplaced",
        {"a": s(), "b": s(), "c": s(**needs("a"))},
        {"a": s(), "b": s(), "c": s(**needs("b"))},
    ),
    Edit(
        "depscaled",
        {"a": s(), "b": s(**needs("a"))},
        {"a": s(deploy={"replicas": 2}), "b": s(**needs("a"))},
    ),
    Edit(
        "depoptional",
        {"a": s(profiles=["off"]), "b": s(**needs("a", required=False))},
        {"a": s(profiles=["off"]), "b": s(**needs("a", required=False))},
    ),
    Edit(
        "netmodesame",
        {"a": s(), "b": s(network_mode="service:a")},
        {"a": s(), "b": s(network_mode="service:a")},
    ),
    Edit(
        "volumesfromsame",
        {"a": s(volumes=["/scratch"]), "b": s(volumes_from=["a"])},
        {"a": s(volumes=["/scratch"]), "b": s(volumes_from=["a"])},
    ),
)

SCALES: Sequence[Edit] = (
    scaled("up13", 1, 3),
    scaled("down31", 3, 1),
    scaled("down32", 3, 2),
    scaled("up23env", 2, 3, **X),
    scaled("down31env", 3, 1, **X),
    Edit("down10", {"a": s(), "b": s()}, {"a": s(deploy={"replicas": 0}), "b": s()}),
    Edit(
        "profileoff",
        {"a": s(), "b": s()},
        {"a": s(), "b": s(profiles=["off"])},
        differs="compose leaves the containers of a profile that is not active any more",
    ),
    Edit("removed", {"a": s(), "b": s()}, {"a": s()}),
    Edit("added", {"a": s()}, {"a": s(), "b": s(**needs("a"))}),
    Edit("renamed", {"a": s()}, {"b": s()}),
)

BY_HAND: Sequence[Edit] = (
    Edit(
        "stop",
        {"a": s(), "b": s(**needs("a"))},
        {"a": s(), "b": s(**needs("a"))},
        ("stop -t 0 @-a-1",),
    ),
    Edit("kill", {"a": s()}, {"a": s()}, ("kill @-a-1",)),
    Edit(
        "rm", {"a": s(), "b": s(**needs("a"))}, {"a": s(), "b": s(**needs("a"))}, ("rm -f @-a-1",)
    ),
    Edit(
        "rmdependent",
        {"a": s(), "b": s(**needs("a"))},
        {"a": s(), "b": s(**needs("a"))},
        ("rm -f @-b-1",),
    ),
    Edit("stopchanged", {"a": s()}, {"a": s(**X)}, ("stop -t 0 @-a-1",)),
    Edit("rmreplica", *2 * ({"a": s(deploy={"replicas": 2})},), ("rm -f @-a-1",)),
    Edit("restarted", {"a": s()}, {"a": s()}, ("restart -t 0 @-a-1",)),
)

ONE_SHOTS: Sequence[Edit] = (
    Edit("jobbeside", {"a": s(), "job": JOB}, {"a": s(**X), "job": JOB}),
    Edit("jobchanged", {"job": JOB}, {"job": {**JOB, **X}}),
    Edit(
        "jobneeded",
        {"job": JOB, "b": s(**needs("job", "service_completed_successfully"))},
        {"job": JOB, "b": s(**needs("job", "service_completed_successfully"), **X)},
    ),
    Edit(
        "jobneededchanged",
        {"job": JOB, "b": s(**needs("job", "service_completed_successfully"))},
        {"job": {**JOB, **X}, "b": s(**needs("job", "service_completed_successfully"))},
    ),
    Edit("jobgone", {"a": s(), "job": JOB}, {"a": s(), "job": JOB}, ("rm -f @-job-1",)),
    Edit("jobadded", {"a": s()}, {"a": s(), "job": JOB}),
)

IMAGES: Sequence[Edit] = (
    changed("imagename", {"image": ONE}, {"image": TWO}),
    Edit("imagemoved", *2 * ({"a": s(image=MOVING)},), (MOVE,)),
    Edit("imageshared", *2 * ({"a": s(image=MOVING), "b": s(image=MOVING)},), (MOVE,)),
    Edit("imageneeded", *2 * ({"a": s(image=MOVING), "b": s(**needs("a"))},), (MOVE,)),
)

KEYS: Sequence[Edit] = (
    changed("env", {}, X),
    changed("envorder", {"environment": ["X=1", "Y=2"]}, {"environment": {"Y": "2", "X": "1"}}),
    changed("command", {}, {"command": ["sleep", "100001"]}),
    changed("label", {"labels": {"x": "1"}}, {"labels": {"x": "2"}}),
    changed("restartpolicy", {}, {"restart": "unless-stopped"}),
    changed("healthcheck", {}, {"healthcheck": HEALTHY}),
    changed("memory", {"mem_limit": "32m"}, {"mem_limit": "48m"}),
    changed("user", {}, {"user": "1000"}),
    changed("hostname", {}, {"hostname": "other"}),
    changed("extrahosts", {}, {"extra_hosts": ["x:127.0.0.1"]}),
    changed("ulimits", {}, {"ulimits": {"nofile": 1024}}),
    changed("grace", {}, {"stop_grace_period": "1s"}),
    changed("extension", {"x-note": "1"}, {"x-note": "2"}),
    changed("pullpolicy", {}, {"pull_policy": "missing"}),
    changed("expose", {}, {"expose": ["80"]}),
    changed("logging", {}, {"logging": {"options": {"max-size": "1m"}}}),
    changed("readonly", {}, {"read_only": True}),
    changed("workingdir", {}, {"working_dir": "/tmp"}),  # noqa: S108 - inside the container
    changed("tmpfs", {}, {"tmpfs": ["/scratch"]}),
    changed("anonymous", {}, {"volumes": ["/scratch"]}),
    changed("bind", {}, {"volumes": ["./configs:/configs:ro"]}),
    changed("containername", {}, {"container_name": "@fixed"}),
    changed("containerrenamed", {"container_name": "@one"}, {"container_name": "@two"}),
    changed("profileon", {}, {"profiles": []}),
)


def net(name: str, before: Any, after: Any, *services: Services) -> Edit:
    first, last = services if len(services) == 2 else (services[0], services[0])
    return Edit(name, first, last, networks=(before, after))


MEMBERS: Services = {"a": s(networks=["n"]), "b": s(networks=["n"])}
RESOURCES: Sequence[Edit] = (
    net("netlabel", {"n": {}}, {"n": {"labels": {"x": "1"}}}, MEMBERS),
    net("netinternal", {"n": {}}, {"n": {"internal": True}}, MEMBERS),
    net("netadded", {"n": {}}, {"n": {}}, {"a": s()}, {"a": s(networks=["default", "n"])}),
    net("netleft", {"n": {}}, {"n": {}}, MEMBERS, {**MEMBERS, "b": s()}),
    net(
        "netalias",
        {"n": {}},
        {"n": {}},
        {"a": s(networks={"n": {}})},
        {"a": s(networks={"n": {"aliases": ["x"]}})},
    ),
    net(
        "netlabelenv",
        {"n": {}},
        {"n": {"labels": {"x": "1"}}},
        MEMBERS,
        {**MEMBERS, "a": s(networks=["n"], **X)},
    ),
    Edit(
        "volumeadded",
        {"a": s()},
        {"a": s(volumes=["v:/data"])},
        volumes=({}, {"v": {}}),
    ),
    Edit(
        "volumelabel",
        *2 * ({"a": s(volumes=["v:/data"])},),
        volumes=({"v": {}}, {"v": {"labels": {"x": "1"}}}),
    ),
    Edit(
        "volumeswapped",
        {"a": s(volumes=["v:/data"])},
        {"a": s(volumes=["w:/data"])},
        volumes=({"v": {}}, {"v": {}, "w": {}}),
    ),
)

EDITS: tuple[Edit, ...] = (
    *DEPENDENCIES,
    *SCALES,
    *BY_HAND,
    *ONE_SHOTS,
    *IMAGES,
    *KEYS,
    *RESOURCES,
)
