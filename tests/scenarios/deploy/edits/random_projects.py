"""Random small projects and random edits of them; the same seed makes the same."""

import random
from typing import Any

from tests.scenarios.deploy.edits.edit_table import HEALTHY, JOB, SLEEP

NAMES = ("a", "b", "c", "d")
Project = dict[str, Any]


def make_random_project(chance: random.Random) -> Project:
    count = chance.randint(2, len(NAMES))
    services = {
        name: _make_service(chance, NAMES[:index]) for index, name in enumerate(NAMES[:count])
    }
    return {"services": services, "networks": {"n": {}}, "volumes": {"vol": {}}}


def _make_service(chance: random.Random, earlier: tuple[str, ...]) -> dict[str, Any]:
    if not earlier and chance.random() < 0.3:
        return dict(JOB)
    service: dict[str, Any] = {**SLEEP, "healthcheck": HEALTHY}
    if earlier and chance.random() < 0.6:
        service["depends_on"] = [chance.choice(earlier)]
    if chance.random() < 0.3:
        service["networks"] = ["default", "n"]
    if chance.random() < 0.3:
        service["volumes"] = ["vol:/data"]
    if chance.random() < 0.3:
        service["deploy"] = {"replicas": chance.randint(0, 3)}
    return service


def edit_randomly(chance: random.Random, project: Project) -> Project:
    """Change one to three things."""
    edited: Project = {key: dict(value) for key, value in project.items()}
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(sorted(edited["services"]))
        service = dict(edited["services"][name])
        match chance.randrange(6):
            case 0:
                service["environment"] = {"X": str(chance.randint(1, 9))}
            case 1:
                service["deploy"] = {"replicas": chance.randint(0, 3)}
            case 2:
                service["labels"] = {"x": str(chance.randint(1, 9))}
            case 3:
                edited["networks"] = {"n": {"labels": {"x": str(chance.randint(1, 9))}}}
            case 4:
                service["networks"] = ["n"]
            case _:
                _remove_service(edited, name)
                continue
        edited["services"][name] = service
    return edited


def _remove_service(project: Project, name: str) -> None:
    """Take a service out, unless it is the last one or another one needs it."""
    needed = {
        other for service in project["services"].values() for other in service.get("depends_on", ())
    }
    if len(project["services"]) > 1 and name not in needed:
        del project["services"][name]
