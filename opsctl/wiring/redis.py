"""Redis of the stack and of the cache, and what an experiment may access."""

from functools import cached_property
from typing import TYPE_CHECKING

from opsctl.settings.sections.experiment import LOWEST_EXPERIMENT_INDEX

if TYPE_CHECKING:
    from opsctl.settings.isolation import RedisIndexes
    from opsctl.systems.redis.client import Redis
    from opsctl.systems.redis.pubsub import Subscription, Topics
    from opsctl.systems.redis.target import RedisTarget

from opsctl.wiring.project import ProjectWiring


class RedisWiring(ProjectWiring):
    @cached_property
    def redis(self) -> "Redis":
        """The stack's index; an experiment cannot write to it."""
        return self._redis(self._redis_indexes.read)

    @cached_property
    def redis_results(self) -> "Redis":
        """The index that results are written to: the stack's own, or the experiment's."""
        return self._redis(self._redis_indexes.write)

    @cached_property
    def _redis_indexes(self) -> "RedisIndexes":
        from opsctl.settings.isolation import redis_indexes
        from opsctl.systems.redis.from_settings import target_of

        stack = target_of(self.settings.redis).db
        return redis_indexes(self.experiment, stack=stack, rules=self.settings.experiment)

    def _redis(self, index: int) -> "Redis":
        client = self._open_redis(self._redis_target.replaced(db=index))
        self._exits.callback(client.close)
        return client

    @cached_property
    def cache_redis(self) -> "Redis":
        """The Redis of the cache: the stack's, unless it has one of its own."""
        from opsctl.systems.redis.target import RedisTarget

        url = self.settings.cache.redis_url.get_secret_value()
        if not url:
            return self.redis
        client = self._open_redis(RedisTarget.parse(url))
        self._exits.callback(client.close)
        return client

    def redis_node(self, host: str, port: int) -> "Redis":
        """Open another node of the stack's Redis, with the same login; the caller closes it."""
        elsewhere = self._redis_target.replaced(host=host, port=port, socket_path="")
        return self._open_redis(elsewhere)

    def redis_subscription(self, topics: "Topics", purpose: str) -> "Subscription":
        """Subscribe to channels of the stack's Redis; the caller closes it."""
        from opsctl.systems.redis.pool import RedisPyPooled
        from opsctl.systems.redis.target import RedisLimits

        limits = RedisLimits(self.settings.redis.timeout_s, connections=1)
        pool = RedisPyPooled(self._redis_target, name=purpose, clock=self.clock, limits=limits)
        return pool.subscribe(topics)

    @cached_property
    def _redis_target(self) -> "RedisTarget":
        from opsctl.systems.redis.from_settings import target_of

        return target_of(self.settings.redis).replaced(db=self._redis_indexes.read)

    def _open_redis(self, target: "RedisTarget") -> "Redis":
        from opsctl.systems.redis.access import access_for
        from opsctl.systems.redis.client import RedisLimits, RedisPy

        lowest = LOWEST_EXPERIMENT_INDEX if self.experiment else None
        access = access_for(target.db, minimum_write_index=lowest)
        limits = RedisLimits(self.settings.redis.timeout_s)
        return RedisPy(target, purpose="opsctl", clock=self.clock, limits=limits, access=access)
