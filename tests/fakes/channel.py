"""A channel that keeps what it is told, and is down when the test says so."""

from dataclasses import dataclass, field

from opsctl.notify.model import TAKEN, Answer, Bundle, Message


@dataclass(slots=True)
class KeptChannel:
    name: str = "kept"
    bundles: list[Bundle] = field(default_factory=list)
    answer: Answer = TAKEN

    @property
    def messages(self) -> list[Message]:
        return [message for bundle in self.bundles for message in bundle.messages]

    def send(self, bundle: Bundle, *, limit_s: float) -> Answer:
        assert limit_s > 0
        if self.answer.is_taken:
            self.bundles.append(bundle)
        return self.answer
