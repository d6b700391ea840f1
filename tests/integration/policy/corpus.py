"""Compose files that do harm, meant or not: each is one service, changed in one thing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

SERVICE: Mapping[str, Any] = {
    "image": "busybox:1.37",
    "environment": {"APP_ENV": "${APP_ENV:-production}"},
    "healthcheck": {"test": ["CMD", "true"]},
    "mem_limit": "64m",
    "cpus": 0.1,
    "restart": "unless-stopped",
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
}
CAPPED = {"cpus": 0.5, "mem_limit": "512m", "memswap_limit": "512m"}


@dataclass(frozen=True)
class Compose:
    """A rule, and what is put over the service; None takes a key out."""

    rule: str
    change: Mapping[str, Any] = field(default_factory=dict)
    env: str = "prod"
    text: str = ""
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"docker-compose.{self.env}.yml"

    @property
    def written(self) -> str:
        if self.text:
            return self.text
        service = {**SERVICE, **self.change}
        kept = {key: value for key, value in service.items() if value is not None}
        return yaml.safe_dump({"services": {"web": kept}}, sort_keys=False)


SOCKET = "/var/run/docker.sock"
SECRET = "f9Kq2" + "Zr81LmP0w"

BAD = [
    Compose("compose-unrendered", {"image": None}),
    Compose("compose-unrendered", text="services: [\n"),
    Compose("compose-unrendered", text="include:\n  - https://github.com/example/example.git\n"),
    Compose("compose-app-env", {"environment": {}}),
    Compose("compose-app-env", {"environment": ["APP_ENV="]}),
    Compose("compose-app-env", {"environment": {"APP_ENV": "prod"}}),
    Compose("compose-app-env", {"environment": {"APP_ENV": "development"}}),
    Compose("compose-app-env", {"environment": {"APP_ENV": "production"}}, env="dev"),
    Compose("compose-healthcheck", {"healthcheck": None}),
    Compose("compose-healthcheck", {"healthcheck": {"disable": True}}),
    Compose("compose-healthcheck", {"healthcheck": {"test": ["NONE"]}}),
    Compose("compose-limits", {"mem_limit": None}),
    Compose(
        "compose-limits",
        {"cpus": None, "mem_limit": None, "deploy": {"resources": {"limits": {"memory": "1g"}}}},
    ),
    Compose("compose-log-rotation", {"logging": None}),
    Compose("compose-log-rotation", {"logging": {"driver": "json-file"}}),
    Compose("compose-restart", {"restart": None}),
    Compose("compose-restart", {"restart": "no"}),
    Compose("compose-database-port", {"ports": ["5432:5432"]}),
    Compose("compose-database-port", {"ports": ["0.0.0.0:15432:5432"]}),
    Compose("compose-database-port", {"ports": ["6370-6380:6370-6380"]}),
    Compose("compose-database-port", {"ports": ["[::]:6379:6379"]}),
    Compose("compose-database-port", {"ports": ["6379"]}),
    Compose("compose-database-port", {"image": "redis:8.0.2", "ports": ["16379:7000"]}),
    Compose("compose-database-port", {"ports": ["${BIND_NOWHERE_SET}:5432:5432"]}),
    Compose("compose-public-port", {"ports": ["8080:80"]}),
    Compose(
        "compose-public-port", {"ports": [{"target": 80, "published": "8080", "mode": "host"}]}
    ),
    Compose("compose-public-port", {"ports": ["192.168.1.10:8080:80"]}),
    Compose("compose-docker-socket", {"volumes": [f"{SOCKET}:{SOCKET}"]}),
    Compose("compose-docker-socket", {"volumes": [f"{SOCKET}:/x.sock:ro"]}),
    Compose("compose-docker-socket", {"volumes": ["/var/run:/host"]}),
    Compose("compose-docker-socket", {"volumes": ["/run/../run/docker.sock:/x"]}),
    Compose("compose-docker-socket", {"volumes": ["/:/host:ro"]}),
    Compose("compose-docker-socket", {"volumes": [f"${{SOCK:-{SOCKET}}}:/x"]}),
    Compose(
        "compose-docker-socket",
        {"volumes": [{"type": "bind", "source": SOCKET, "target": "/x"}]},
    ),
    Compose("compose-docker-socket", {"environment": {"DOCKER_HOST": "tcp://10.0.0.1:2375"}}),
    Compose("compose-docker-socket", {"profiles": ["hidden"], "volumes": [f"{SOCKET}:/x"]}),
    Compose("compose-host-path", {"volumes": ["/etc:/host-etc"]}),
    Compose("compose-host-path", {"volumes": ["/var/lib/docker/:/x"]}),
    Compose("compose-privileged", {"privileged": True}),
    Compose("compose-privileged", {"cap_add": ["ALL"]}),
    Compose("compose-privileged", {"cap_add": ["CAP_SYS_ADMIN"]}),
    Compose("compose-privileged", {"security_opt": ["seccomp=unconfined"]}),
    Compose("compose-privileged", {"devices": ["/dev/mem:/dev/mem"]}),
    Compose("compose-host-network", {"network_mode": "host"}),
    Compose("compose-host-network", {"pid": "host"}),
    Compose("compose-host-network", {"ipc": "host"}),
    Compose("compose-host-network", {"uts": "host"}),
    Compose("image-latest", {"image": "redis"}),
    Compose("image-latest", {"image": "redis:latest"}),
    Compose("image-latest", {"image": "host:5000/redis"}),
    Compose("image-latest", {"image": "redis:${TAG:-latest}"}),
    Compose("kafka-image", {"image": "apache/kafka:4.0.0"}),
    Compose("kafka-image", {"image": "docker.redpanda.com/redpandadata/redpanda:v25"}),
    Compose("test-caps", {"cpus": 1, "mem_limit": "512m", "memswap_limit": "512m"}, env="test"),
    Compose("test-caps", {**CAPPED, "mem_limit": "1g", "memswap_limit": "1g"}, env="test"),
    Compose("test-caps", {**CAPPED, "memswap_limit": None}, env="test"),
    Compose("test-caps", {**CAPPED, "memswap_limit": -1}, env="test"),
    Compose("test-caps", {"profiles": ["ci"]}),
    Compose("secret-in-compose", {"environment": {"POSTGRES_PASSWORD": SECRET}}),
    Compose("secret-in-compose", {"environment": [f"API_KEY={SECRET}"]}),
    Compose("secret-in-compose", {"environment": {"DB_PASSWORD": f"${{DB_PASSWORD:-{SECRET}}}"}}),
    Compose("secret-in-compose", {"environment": {"POSTGRES_PASSWORD": "postgres"}}),
]
# What hides from a look at the text alone.
_BASE = f"services:\n  web:\n    image: busybox:1.37\n    volumes: ['{SOCKET}:/x']\n"
_EXTENDS = "services:\n  web:\n    extends:\n      file: base.yml\n      service: web\n"
BAD += [
    Compose("compose-docker-socket", text=_EXTENDS, others={"base.yml": _BASE}),
    Compose("compose-docker-socket", text="include: [base.yml]\n", others={"base.yml": _BASE}),
    Compose(
        "compose-privileged",
        text="x-a: &a {privileged: true}\nservices:\n  web:\n    <<: *a\n    image: busybox:1.37\n",
    ),
    Compose(
        "compose-host-network",
        text="x-a: &a host\nservices:\n  web:\n    image: busybox:1.37\n    network_mode: *a\n",
    ),
]

GOOD = [
    Compose("*"),
    Compose("*", env="dev"),
    Compose("*", {"ports": ["127.0.0.1:5432:5432", "[::1]:6379:6379", "100.64.0.7:8080:80"]}),
    Compose("*", {"ports": ["22:22"]}),
    Compose("*", {"image": f"redis@sha256:{'a' * 64}"}),
    Compose("*", {"volumes": ["./configs:/configs:ro"]}),
    Compose("*", {"logging": {"driver": "local"}}),
    Compose("*", {"environment": {"APP_ENV": "production", "DB_PASSWORD": "${DB:?set it}"}}),
    Compose("*", {"environment": {"APP_ENV": "production", "DB_PASSWORD_FILE": "/run/x"}}),
    Compose("*", {"environment": {"APP_ENV": "development", "DB_PASSWORD": "postgres"}}, env="dev"),
    Compose("*", {"restart": "no"}, env="dev"),
    Compose("*", {**CAPPED, "healthcheck": None, "restart": None}, env="test"),
    Compose("*", {"build": ".", "image": "app"}),
    Compose("*", {"cap_add": ["NET_BIND_SERVICE"], "security_opt": ["no-new-privileges:true"]}),
    Compose(
        "*",
        {
            "mem_limit": None,
            "cpus": None,
            "deploy": {"resources": {"limits": {"memory": "1g", "cpus": "0.5"}}},
        },
    ),
]
