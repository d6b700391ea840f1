"""A channel that keeps what is sent, and is down when the test says so."""

from dataclasses import dataclass, field

from opsctl.notify.model import ACCEPTED, AlertMessage, Bundle, SendResult


@dataclass(slots=True)
class KeptChannel:
    name: str = "kept"
    bundles: list[Bundle] = field(default_factory=list)
    answer: SendResult = ACCEPTED

    @property
    def messages(self) -> list[AlertMessage]:
        return [message for bundle in self.bundles for message in bundle.messages]

    def send(self, bundle: Bundle, *, limit_s: float) -> SendResult:
        assert limit_s > 0
        if self.answer.is_accepted:
            self.bundles.append(bundle)
        return self.answer
