"""HTTP, and the channels that notifications are sent to."""

from functools import cached_property
from typing import TYPE_CHECKING

from opsctl.wiring.project import ProjectWiring

if TYPE_CHECKING:
    from opsctl.notify.model import Channel
    from opsctl.notify.notifier import Notifier
    from opsctl.systems.http.client import Http
    from opsctl.systems.mail import Mail, MailServer


class NotificationWiring(ProjectWiring):
    @cached_property
    def http(self) -> "Http":
        from opsctl.systems.http.client import HttpxHttp

        return HttpxHttp(clock=self.clock)

    @property
    def where(self) -> str:
        """Project, environment and machine, as notifications show them."""
        return f"{self.settings.project.name} {self.settings.env} {self.host.name()}"

    @cached_property
    def channels(self) -> "tuple[Channel, ...]":
        from opsctl.notify.setup import ChannelSystems, build_channels
        from opsctl.systems.journal import Journald

        means = ChannelSystems(lambda: self.http, self._mail, self.processes, Journald())
        return build_channels(self.settings.notify, means)

    def _mail(self, server: "MailServer") -> "Mail":
        from opsctl.systems.mail import SmtpMail

        return SmtpMail(server, clock=self.clock)

    @cached_property
    def notifier(self) -> "Notifier":
        """Report problems; due messages are sent when the run ends, within a time limit."""
        from opsctl.logs.redact import Redactor
        from opsctl.notify.setup import NotifierParts, build_notifier

        settings = self.settings.notify
        redact = Redactor(() if self._settings else self.loaded.resolved.secrets())
        ends = NotifierParts(lambda: self.store.deliveries, self.channels, self.locks, self.clock)
        notifier = build_notifier(settings, ends, where=self.where, redact=redact)
        self._before_close.append(lambda: notifier.flush(settings.command_wait_s))
        return notifier
