"""Section `engine`: the Docker Engine that runs the stack."""

from opsctl.settings.section import Section, setting


class Engine(Section):
    """The Docker Engine that runs the stack."""

    host: str = setting(
        "",
        "Address of the engine, e.g. unix:///var/run/docker.sock; empty means the local socket.",
        env=("DOCKER_HOST",),
    )
    timeout_s: float = setting(10.0, "Longest wait for an answer from the engine.", gt=0, le=3600)
