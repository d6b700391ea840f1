"""The parts of the kit, in both forms, and those of their operations that a fault may affect."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import opsctl.kit
from opsctl.kit import Backend, Breaker, CacheOptions, HttpSettings, LimitPolicies, Rate
from opsctl.kit.limits.fallback import UnavailablePolicy
from opsctl.kit.testing import FakeHttp
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.forms import Form, make
from tests.integration.kit.conftest import QUICK

# Longer than a server takes to restart on a busy machine: its old log must still count then.
RATE = Rate("fault", 100, 3.0)
# Closed for longer than any use of a faulty server takes.
SLOW_RATE = Rate("fault", 100, 60.0)
# Shorter than the deadline of a request, which waits for it.
HTTP_RATE = Rate("http", 100, 0.4)
PRICE = "https://api.example.test/price"
Operations = dict[str, Callable[[], Any]]


class Kit:
    """A client in one form, and the parts that use it."""

    def __init__(
        self,
        url: str,
        runner: asyncio.Runner | None,
        limits: RedisLimits = QUICK,
        *,
        rate: Rate = RATE,
    ) -> None:
        self._runner = runner
        self.rate = rate
        self.client = self.of("RedisClient", url, service="test", limits=limits)

    def of(self, name: str, *args: Any, **options: Any) -> Form:
        kind = getattr(opsctl.kit, name if self._runner is None else f"Async{name}")
        parts = [arg.part if isinstance(arg, Form) else arg for arg in args]
        return Form(make(self._runner, lambda: kind(*parts, **options)), self._runner)

    def limiter(self, policy: UnavailablePolicy) -> Form:
        policies = LimitPolicies(policy, processes=4, after_restart="trust")
        return self.of("RateLimiter", self.client, "test", policies=policies)

    def limited_http(self) -> Form:
        pool = FakeHttp().answers("GET", PRICE)
        bare = self.of("HttpClient", HttpSettings(deadline_s=1.2), pool)
        limited = bare.with_rate_limiter(self.limiter("closed").part, HTTP_RATE)
        return Form(limited, self._runner)


def client(kit: Kit) -> Operations:
    kit.client.call("SET", "kept", "1")
    return {
        "reads": lambda: kit.client.call("GET", "kept"),
        "writes": lambda: kit.client.call("SET", "new", "1"),
        "pipelines": lambda: len(kit.client.calls([("PING",), ("PING",)])),
    }


def limiter(policy: UnavailablePolicy) -> Callable[[Kit], Operations]:
    def operations(kit: Kit) -> Operations:
        rate_limiter = kit.limiter(policy)
        rate_limiter.allow(kit.rate)
        return {
            "allows": lambda: rate_limiter.allow(kit.rate).allowed,
            "waits": lambda: rate_limiter.wait(kit.rate, 0.05).allowed,
        }

    return operations


def limited_http(kit: Kit) -> Operations:
    http = kit.limited_http()
    http.get(PRICE)
    return {"asks": lambda: http.get(PRICE).status}


def cache(backend: Backend) -> Callable[[Kit], Operations]:
    def operations(kit: Kit) -> Operations:
        tested_cache = kit.of("Cache", kit.client, options=CacheOptions("test", backend))
        tested_cache.set("kept", 1)
        new = map("new {}".format, count())
        return {
            "computes": lambda: tested_cache.get_or_set(next(new), lambda: 7),
            "reads": lambda: tested_cache.get("kept"),
            "writes": lambda: tested_cache.set("k", 1),
            "counts": lambda: tested_cache.incr("n") > 0,
            "removes": lambda: tested_cache.delete_pattern("nothing*"),
        }

    return operations


def hashes(kit: Kit) -> Operations:
    tested_hashes = kit.of("Hashes", kit.client, breaker=Breaker("hashes", recovery_s=0.2))
    tested_hashes.set("position", "kept", {"q": "1"}, 60)
    return {
        "reads": lambda: tested_hashes.get("position", "kept"),
        "writes": lambda: tested_hashes.set("position", "new", {"q": "1"}, 60),
        "removes": lambda: tested_hashes.delete("position", "nothing"),
        "is healthy": lambda: tested_hashes.health().healthy,
    }


def sessions(kit: Kit) -> Operations:
    tested_sessions = kit.of("Sessions", kit.client)
    token = tested_sessions.create({"user": 7})
    return {
        "reads": lambda: tested_sessions.read(token),
        "creates": lambda: bool(tested_sessions.create({})),
        "rotates": lambda: tested_sessions.rotate("nothing"),
        "ends": lambda: tested_sessions.expire("nothing"),
    }


def queue(kit: Kit) -> Operations:
    tested_queue = kit.of("Queue", kit.client, "work")
    tested_queue.reserve()
    tested_queue.enqueue(1)
    return {
        "reserves": lambda: [job.data for job in tested_queue.reserve()],
        "enqueues": lambda: bool(tested_queue.enqueue(2)),
        "reads depth": lambda: tested_queue.depth().waiting >= 0,
    }


PARTS: dict[str, Callable[[Kit], Operations]] = {
    "client": client,
    "closed limiter": limiter("closed"),
    "local limiter": limiter("local"),
    "open limiter": limiter("open"),
    "limited http": limited_http,
    "cache": cache(Backend.REDIS),
    "layered cache": cache(Backend.LAYERED),
    "hashes": hashes,
    "sessions": sessions,
    "queue": queue,
}
