"""An HTTP that answers from a script; a request that nobody expected fails the test."""

from dataclasses import dataclass, field

from opsctl.errors import OpsctlError
from opsctl.systems.http.client import HttpRequest, HttpResponse, prepare


@dataclass
class ScriptedHttp:
    answers: dict[tuple[str, str], HttpResponse | OpsctlError]
    """What each method and URL gets; an error is raised."""
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        _, origin = prepare(request)
        self.sent.append(request)
        answer = self.answers.get((request.method, request.url))
        assert answer is not None, f"nobody expected {request.method} {request.url}"
        if isinstance(answer, OpsctlError):
            raise answer
        if len(answer.body) > request.max_body_bytes:
            raise OpsctlError(f"the answer from {origin} is too long")
        return answer
