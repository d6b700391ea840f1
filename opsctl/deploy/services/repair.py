"""Says how a service that is unhealthy, paused or stopped is repaired."""

from collections.abc import Iterable


def suggest_repair(env: str, services: Iterable[str]) -> str:
    names = tuple(dict.fromkeys(services))
    force = "".join(f" --force-recreate {name}" for name in names)
    return (
        f"Read why: opsctl logs -e {env} {' '.join(names)}."
        f" Restart it: opsctl restart -e {env} {' '.join(names)}."
        f" Replace it: opsctl up -e {env}{force}"
    )
