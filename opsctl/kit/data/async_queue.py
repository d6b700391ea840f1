"""`AsyncQueue`: a small reliable queue; a job is done once it is acknowledged."""

from typing import TYPE_CHECKING, Any

from opsctl.kit.data.queue_effects import (
    DeadJob,
    QueueDepth,
    QueueEffects,
    QueueJob,
    QueueRules,
    parse_new_jobs,
)
from opsctl.kit.redis.async_run_effects import run_effects

if TYPE_CHECKING:
    from opsctl.kit.redis.async_client import AsyncRedisClient

# How much longer the client waits than the server.
_GRACE_S = 1.0


class AsyncQueue:
    """Delivers at least once: the jobs of a worker that dies go to others. Raises without Redis."""

    def __init__(
        self,
        client: "AsyncRedisClient",
        name: str,
        *,
        prefix: str = "opsctl",
        rules: QueueRules | None = None,
    ) -> None:
        self._client = client
        self._effects = QueueEffects(prefix, name, rules or QueueRules())

    async def enqueue(self, data: Any) -> str:  # noqa: ANN401 - any JSON value
        """Add a job at the end and return its id."""
        return await run_effects(self._client, self._effects.enqueue(data))

    async def reserve(self, count: int = 1, *, wait_s: float = 0.0) -> list[QueueJob]:
        """Take up to `count` jobs, waiting at most `wait_s` for the first one."""
        jobs = await run_effects(self._client, self._effects.reserve(count))
        if jobs or not wait_s:
            return jobs
        command = self._effects.read_command(count, wait_s=wait_s)
        reply = await self._client.call(*command, limit_s=wait_s + _GRACE_S)
        return parse_new_jobs(reply)

    async def ack(self, job: QueueJob) -> bool:
        """Mark a job as done; false when it was given to another worker in the meantime."""
        return await run_effects(self._client, self._effects.ack(job))

    async def retry(self, job: QueueJob, why: str = "retried") -> bool:
        """Put a job back at the end of the queue; after its last attempt it is dead."""
        return await run_effects(self._client, self._effects.retry(job, why))

    async def dead(self, count: int = 100) -> list[DeadJob]:
        """List dead jobs (dead letters), the latest first."""
        return await run_effects(self._client, self._effects.list_dead(count))

    async def depth(self) -> QueueDepth:
        """Count waiting, reserved and dead jobs."""
        return await run_effects(self._client, self._effects.depth())
