"""`Queue` and `AsyncQueue`: a small reliable queue; a job is done once acknowledged."""

from typing import TYPE_CHECKING, Any

from opsctl.kit.carry import carry, carry_async
from opsctl.kit.queue_steps import (
    DeadJob,
    Depth,
    Job,
    QueueRules,
    QueueSteps,
    parse_new,
)

if TYPE_CHECKING:
    from opsctl.kit.async_client import AsyncClient
    from opsctl.kit.client import Client

# How much longer a connection waits than the server.
_GRACE_S = 1.0


class Queue:
    """At least once: a worker that dies leaves its jobs to others. Without Redis, calls raise."""

    def __init__(
        self,
        client: "Client",
        name: str,
        *,
        prefix: str = "opsctl",
        rules: QueueRules | None = None,
    ) -> None:
        self._client = client
        self._steps = QueueSteps(prefix, name, rules or QueueRules())

    def enqueue(self, data: Any) -> str:  # noqa: ANN401 - any JSON
        """Put a job at the end; its id."""
        return carry(self._client, self._steps.enqueue(data))

    def reserve(self, count: int = 1, *, wait_s: float = 0.0) -> list[Job]:
        """Take up to `count` jobs, waiting for the first of them at most `wait_s`."""
        jobs = carry(self._client, self._steps.reserve(count))
        if jobs or not wait_s:
            return jobs
        words = self._steps.reading(count, wait_s=wait_s)
        return parse_new(self._client.call(*words, limit_s=wait_s + _GRACE_S))

    def ack(self, job: Job) -> bool:
        """Say that a job is done; false when it had been given to another meanwhile."""
        return carry(self._client, self._steps.ack(job))

    def retry(self, job: Job, why: str = "retried") -> bool:
        """Give a job back to the end of the queue; after its last try it is dead."""
        return carry(self._client, self._steps.retry(job, why))

    def dead(self, count: int = 100) -> list[DeadJob]:
        """Look at the dead, the latest first."""
        return carry(self._client, self._steps.dead(count))

    def depth(self) -> Depth:
        return carry(self._client, self._steps.depth())


class AsyncQueue:
    """The words of `Queue`, to be awaited."""

    def __init__(
        self,
        client: "AsyncClient",
        name: str,
        *,
        prefix: str = "opsctl",
        rules: QueueRules | None = None,
    ) -> None:
        self._client = client
        self._steps = QueueSteps(prefix, name, rules or QueueRules())

    async def enqueue(self, data: Any) -> str:  # noqa: ANN401 - any JSON
        return await carry_async(self._client, self._steps.enqueue(data))

    async def reserve(self, count: int = 1, *, wait_s: float = 0.0) -> list[Job]:
        jobs = await carry_async(self._client, self._steps.reserve(count))
        if jobs or not wait_s:
            return jobs
        words = self._steps.reading(count, wait_s=wait_s)
        return parse_new(await self._client.call(*words, limit_s=wait_s + _GRACE_S))

    async def ack(self, job: Job) -> bool:
        return await carry_async(self._client, self._steps.ack(job))

    async def retry(self, job: Job, why: str = "retried") -> bool:
        return await carry_async(self._client, self._steps.retry(job, why))

    async def dead(self, count: int = 100) -> list[DeadJob]:
        return await carry_async(self._client, self._steps.dead(count))

    async def depth(self) -> Depth:
        return await carry_async(self._client, self._steps.depth())
