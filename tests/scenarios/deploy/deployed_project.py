"""The project of one test, on the engine of its worker, driven by the real program."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.docker import BUSYBOX, client_environment
from tests.engines.own_engine import OwnEngine

ROOT = Path(__file__).parents[3]
RUN_S = 100
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "gc.auto=0")
SLEEP = ["sh", "-c", 'echo serving $$V; [ "$$V" != bad ] || exit 7; exec sleep 1000']
# Starts and stops quickly, and is healthy as soon as it has run for deploy.stable_s.
WEB = {"build": ".", "init": True, "stop_grace_period": "1s", "command": SLEEP}
STORE = {
    "image": BUSYBOX,
    "init": True,
    "stop_grace_period": "1s",
    "command": ["sleep", "1000"],
    "volumes": ["precious:/data"],
}


@dataclass(frozen=True, slots=True)
class CommandResult:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class DeployedProject:
    engine: OwnEngine
    directory: Path
    name: str
    env: str = "dev"
    variables: dict[str, str] = field(default_factory=dict)

    def opsctl(self, *words: str, timeout_s: float = RUN_S) -> CommandResult:
        done = subprocess.run(
            self.command_line(*words),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def run_up(self, *words: str, exit_code: int = 0) -> CommandResult:
        done = self.opsctl("up", *words)
        assert done.exit_code == exit_code, f"{done.out}\n{done.err}"
        return done

    def start_opsctl(self, *words: str) -> subprocess.Popen[str]:
        """Start opsctl in the background; its stderr is a pipe."""
        return subprocess.Popen(
            self.command_line(*words),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command_line(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "opsctl", "-e", self.env, "--no-input", *words]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **client_environment(),
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.directory.parent),
            "DOCKER_HOST": self.engine.host,
            "OPSCTL_STATE_DIR": str(self.directory.parent / "state"),
            "OPSCTL_DEPLOY_LOCK_DIR": str(self.directory.parent),
            # The engine may notice late that a container has exited.
            "OPSCTL_DEPLOY_STABLE_S": "1",
            "OPSCTL_DEPLOY_WAIT_TIMEOUT_S": "90",
            "OPSCTL_DEPLOY_ENGINE_WAIT_S": "2",
            "OPSCTL_DEPLOY_DISK_RESERVE_MB": "8",
            "OPSCTL_DEPLOY_IMAGE_ESTIMATE_MB": "4",
            "OPSCTL_NOTIFY_JOURNAL": "false",
            **self.variables,
        }

    @property
    def compose_project(self) -> str:
        return f"{self.name}-{self.env}"

    def write_compose_file(
        self, services: Mapping[str, Any], *, env: str = "", **more: Any
    ) -> None:
        """Write a compose file; JSON is YAML."""
        used = any("precious:" in str(service.get("volumes")) for service in services.values())
        volumes: dict[str, Any] = {"volumes": {"precious": {}}} if used else {}
        project = {"services": services, **volumes, **more}
        path = self.directory / f"docker-compose.{env or self.env}.yml"
        path.write_text(json.dumps(project, indent=1))

    def add_settings(self, **sections: Any) -> None:
        """Add sections to the project's settings."""
        path = self.directory / "configs/opsctl.yaml"
        path.write_text(json.dumps({**json.loads(path.read_text()), **sections}))

    def commit_version(self, version: str, *, dockerfile: str = "") -> None:
        """Change the sources of `web`, and commit."""
        text = dockerfile or f"FROM {BUSYBOX}\nENV V={version}\n"
        (self.directory / "Dockerfile").write_text(text)
        self.commit(f"Serve {version}")

    def commit(self, subject: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            [*GIT, *words], cwd=self.directory, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def deploy_version(self, version: str = "1") -> None:
        """Deploy `web`, which is built, and `store`, which keeps data."""
        self.write_compose_file({"web": WEB, "store": STORE})
        self.commit_version(version)
        self.run_up()
        self.data = "do not lose this"

    @property
    def data(self) -> str:
        return self.engine.run("exec", self.container_name("store"), "cat", "/data/precious")

    @data.setter
    def data(self, text: str) -> None:
        put = f"echo {text} >/data/precious"
        self.engine.run("exec", self.container_name("store"), "sh", "-c", put)

    def container_name(self, service: str) -> str:
        return f"{self.compose_project}-{service}-1"

    def served_version(self, service: str = "web") -> str:
        """Return the version that runs, or the state of a container that does not run."""
        state = self.engine.attempt(
            "inspect", "--format", "{{.State.Status}}", self.container_name(service)
        )
        if state.stdout.strip() != "running":
            return state.stdout.strip() or "missing"
        return self.read_variable(service, "V")

    def read_variable(self, service: str, variable: str) -> str:
        """Read a variable as a process in the container sees it."""
        command = ("sh", "-c", f'printf %s "${variable}"')
        return self.engine.run("exec", self.container_name(service), *command)

    def container_names(self) -> list[str]:
        """List the project's containers, stopped ones included."""
        label = f"label=com.docker.compose.project={self.compose_project}"
        output = self.engine.run("ps", "--all", "--filter", label, "--format", "{{.Names}}")
        return sorted(output.split())

    def container_ids(self) -> dict[str, str]:
        """Map container names to ids; a container that was not touched keeps its id."""
        return {
            name: self.engine.run("inspect", "--format", "{{.Id}}", name)
            for name in self.container_names()
        }

    def history(self) -> Sequence[Mapping[str, Any]]:
        releases: Sequence[Mapping[str, Any]] = self.opsctl("history", "--json").json["releases"]
        return releases

    def outcomes(self) -> list[str]:
        return [str(release["outcome"]) for release in self.history()]
