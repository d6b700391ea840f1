"""The ways out to the web."""

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsctl.systems.http import Http

from opsctl.wiring.ground import Ground


class NoticeParts(Ground):
    @cached_property
    def http(self) -> "Http":
        from opsctl.systems.http import HttpxHttp

        return HttpxHttp(clock=self.clock)
