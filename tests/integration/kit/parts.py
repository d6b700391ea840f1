"""The parts of the kit as both faces have them, and what each does that a fault may touch."""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import opsctl.kit
from opsctl.kit import Backend, Breaker, HttpSettings, Policies, Rate, Setup
from opsctl.kit.limit_gate import Policy
from opsctl.kit.testing import FakeHttp
from opsctl.systems.redis.client import RedisLimits
from tests.contract.kit.faces import Face, make
from tests.integration.kit.conftest import QUICK

RATE = Rate("fault", 100, 0.4)
SLOW_RATE = Rate("fault", 100, 60.0)
PRICE = "https://api.example.test/price"
Deeds = dict[str, Callable[[], Any]]


class Kit:
    """A client of one face, and the parts that are made of it."""

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
        self.client = self.of("Client", url, service="test", limits=limits)

    def of(self, name: str, *args: Any, **options: Any) -> Face:
        kind = getattr(opsctl.kit, name if self._runner is None else f"Async{name}")
        given = [one.part if isinstance(one, Face) else one for one in args]
        return Face(make(self._runner, lambda: kind(*given, **options)), self._runner)

    def limiter(self, policy: Policy) -> Face:
        policies = Policies(policy, processes=4, after_restart="trust")
        return self.of("RateLimiter", self.client, "test", policies=policies)

    def limited_http(self) -> Face:
        pool = FakeHttp().answers("GET", PRICE)
        bare = self.of("HttpClient", HttpSettings(deadline_s=1.2), pool)
        limited = bare.with_rate_limiter(self.limiter("closed").part, RATE)
        return Face(limited, self._runner)


def client(kit: Kit) -> Deeds:
    kit.client.call("SET", "kept", "1")
    return {
        "reads": lambda: kit.client.call("GET", "kept"),
        "writes": lambda: kit.client.call("SET", "new", "1"),
        "pipelines": lambda: len(kit.client.calls([("PING",), ("PING",)])),
    }


def limiter(policy: Policy) -> Callable[[Kit], Deeds]:
    def deeds(kit: Kit) -> Deeds:
        one = kit.limiter(policy)
        one.allow(kit.rate)
        return {
            "allows": lambda: one.allow(kit.rate).allowed,
            "waits": lambda: one.wait(kit.rate, 0.05).allowed,
        }

    return deeds


def limited_http(kit: Kit) -> Deeds:
    http = kit.limited_http()
    http.get(PRICE)
    return {"asks": lambda: http.get(PRICE).status}


def cache(backend: Backend) -> Callable[[Kit], Deeds]:
    def deeds(kit: Kit) -> Deeds:
        one = kit.of("Cache", kit.client, setup=Setup("test", backend))
        one.set("kept", 1)
        new = map("new {}".format, count())
        return {
            "computes": lambda: one.get_or_set(next(new), lambda: 7),
            "reads": lambda: one.get("kept"),
            "writes": lambda: one.set("k", 1),
            "counts": lambda: one.incr("n") > 0,
            "removes": lambda: one.delete_pattern("nothing*"),
        }

    return deeds


def hashes(kit: Kit) -> Deeds:
    one = kit.of("Hashes", kit.client, breaker=Breaker("hashes", recovery_s=0.2))
    one.set("position", "kept", {"q": "1"}, 60)
    return {
        "reads": lambda: one.get("position", "kept"),
        "writes": lambda: one.set("position", "new", {"q": "1"}, 60),
        "removes": lambda: one.delete("position", "nothing"),
        "is well": lambda: one.health().healthy,
    }


def sessions(kit: Kit) -> Deeds:
    one = kit.of("Sessions", kit.client)
    token = one.create({"user": 7})
    return {
        "reads": lambda: one.read(token),
        "creates": lambda: bool(one.create({})),
        "rotates": lambda: one.rotate("nothing"),
        "ends": lambda: one.expire("nothing"),
    }


def queue(kit: Kit) -> Deeds:
    one = kit.of("Queue", kit.client, "work")
    one.reserve()
    one.enqueue(1)
    return {
        "takes": lambda: [job.data for job in one.reserve()],
        "puts": lambda: bool(one.enqueue(2)),
        "says how long": lambda: one.depth().waiting >= 0,
    }


PARTS: dict[str, Callable[[Kit], Deeds]] = {
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
