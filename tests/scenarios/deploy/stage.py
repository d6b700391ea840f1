"""A project of one test's own, on the worker's own engine, driven by the real program."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.docker import BUSYBOX
from tests.engines.own_engine import OwnEngine

ROOT = Path(__file__).parents[3]
RUN_S = 100
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "gc.auto=0")
SLEEP = ["sh", "-c", 'echo serving $$V; [ "$$V" != bad ] || exit 7; exec sleep 1000']
# Quick to start, quick to stop, well as soon as it has run for the stable window.
WEB = {"build": ".", "init": True, "stop_grace_period": "1s", "command": SLEEP}
STORE = {
    "image": BUSYBOX,
    "init": True,
    "stop_grace_period": "1s",
    "command": ["sleep", "1000"],
    "volumes": ["precious:/data"],
}


@dataclass(frozen=True, slots=True)
class Done:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Stage:
    engine: OwnEngine
    directory: Path
    name: str
    env: str = "dev"
    variables: dict[str, str] = field(default_factory=dict)

    def opsctl(self, *words: str, timeout_s: float = RUN_S) -> Done:
        done = subprocess.run(
            self.argv(*words),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def up(self, *words: str, exit_code: int = 0) -> Done:
        done = self.opsctl("up", *words)
        assert done.exit_code == exit_code, f"{done.out}\n{done.err}"
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it and come back at once; its stderr is a pipe to be read."""
        return subprocess.Popen(
            self.argv(*words),
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "opsctl", "-e", self.env, "--no-input", *words]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.directory.parent),
            "DOCKER_HOST": self.engine.host,
            "OPSCTL_STATE_DIR": str(self.directory.parent / "state"),
            "OPSCTL_DEPLOY_LOCK_DIR": str(self.directory.parent),
            "OPSCTL_DEPLOY_STABLE_S": "0.4",
            "OPSCTL_DEPLOY_WAIT_TIMEOUT_S": "90",
            "OPSCTL_DEPLOY_ENGINE_WAIT_S": "2",
            "OPSCTL_DEPLOY_DISK_RESERVE_MB": "8",
            "OPSCTL_DEPLOY_IMAGE_ESTIMATE_MB": "4",
            "OPSCTL_NOTIFY_JOURNAL": "false",
            **self.variables,
        }

    @property
    def project(self) -> str:
        return f"{self.name}-{self.env}"

    def write(self, services: Mapping[str, Any], *, env: str = "", **more: Any) -> None:
        """Write a compose file; JSON is YAML."""
        used = any("precious:" in str(one.get("volumes")) for one in services.values())
        volumes: dict[str, Any] = {"volumes": {"precious": {}}} if used else {}
        project = {"services": services, **volumes, **more}
        path = self.directory / f"docker-compose.{env or self.env}.yml"
        path.write_text(json.dumps(project, indent=1))

    def settings(self, **sections: Any) -> None:
        """Lay sections over the project's settings."""
        path = self.directory / "configs/opsctl.yaml"
        path.write_text(json.dumps({**json.loads(path.read_text()), **sections}))

    def version(self, version: str, *, dockerfile: str = "") -> None:
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

    def deploy(self, version: str = "1") -> None:
        """Bring a first version up: `web` that is built, and `store` that keeps data."""
        self.write({"web": WEB, "store": STORE})
        self.version(version)
        self.up()
        self.precious = "do not lose this"

    @property
    def precious(self) -> str:
        return self.engine.run("exec", self.container("store"), "cat", "/data/precious")

    @precious.setter
    def precious(self, text: str) -> None:
        put = f"echo {text} >/data/precious"
        self.engine.run("exec", self.container("store"), "sh", "-c", put)

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def serves(self, service: str = "web") -> str:
        """Say which version runs, or how it does not."""
        state = self.engine.attempt(
            "inspect", "--format", "{{.State.Status}}", self.container(service)
        )
        if state.stdout.strip() != "running":
            return state.stdout.strip() or "missing"
        return self.inside(service, "V")

    def inside(self, service: str, variable: str) -> str:
        """Read a variable as a process in the container has it."""
        asked = ("sh", "-c", f'printf %s "${variable}"')
        return self.engine.run("exec", self.container(service), *asked)

    def names(self) -> list[str]:
        """Name the project's containers, stopped ones included."""
        label = f"label=com.docker.compose.project={self.project}"
        said = self.engine.run("ps", "--all", "--filter", label, "--format", "{{.Names}}")
        return sorted(said.split())

    def ids(self) -> dict[str, str]:
        """Container name to id: what was not touched keeps it."""
        return {
            name: self.engine.run("inspect", "--format", "{{.Id}}", name) for name in self.names()
        }

    def history(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.opsctl("history", "--json").json["releases"]
        return found

    def outcomes(self) -> list[str]:
        return [str(one["outcome"]) for one in self.history()]
