import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from opsctl.logs import configure_logs, logger
from opsctl.logs.lines import JsonLines
from opsctl.logs.redact import Redactor

ROOT = Path(__file__).parents[2]
CANARY = 'ca"na\\ry'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"key is {CANARY}!", "key is ***!"),
        ("at postgresql://app:x@db/ticks", "at postgresql://***@db/ticks"),
        ("redis://:x@h:1/0 and https://u@h/", "redis://***@h:1/0 and https://***@h/"),
        ("password=hunter2 user=a", "password=*** user=a"),
        ("PGPASSWORD: 'hunter2'", "PGPASSWORD: '***'"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("api_key=k&x=1", "api_key=***&x=1"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_a_secret_does_not_pass(text: str, told: str) -> None:
    assert Redactor([CANARY])(text) == told


def test_the_longer_of_two_secrets_goes_whole() -> None:
    assert Redactor(["abc", "abcdef"])("abcdef abc") == "*** ***"


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_facts_and_without_secrets(stream: io.StringIO) -> None:
    configure_logs("info", stream=stream, secrets=[CANARY])

    facts = {"mount": Path("/"), "url": f"redis://:{CANARY}@h/0", "nested": {"a": [CANARY, 1]}}
    logger("opsctl.disk").info("disk filling %s", CANARY, extra=facts)

    (line,) = lines(stream)
    assert line["message"] == "disk filling ***"
    assert (line["level"], line["logger"], line["mount"]) == ("info", "opsctl.disk", "/")
    assert line["nested"] == {"a": ["***", 1]}
    assert "na" + "\\\\" not in stream.getvalue()


def test_a_traceback_is_redacted_too(stream: io.StringIO) -> None:
    configure_logs("info", stream=stream, secrets=["canary"])

    try:
        int("canary")
    except ValueError:
        logger("opsctl").exception("failed")

    assert "canary" not in stream.getvalue()
    assert "base 10: '***'" in str(lines(stream)[0]["traceback"])


def test_people_are_left_in_peace(stream: io.StringIO) -> None:
    configure_logs("warning", stream=stream)

    logger("opsctl").info("deployed")

    assert stream.getvalue() == ""


def test_a_file_takes_errors_alone_and_only_when_asked(stream: io.StringIO, tmp_path: Path) -> None:
    file = tmp_path / "errors.log"
    configure_logs("info", stream=stream, file=str(file))
    log = logger("opsctl")

    log.warning("seen")
    assert not file.exists()
    log.error("kept")

    assert [json.loads(line)["message"] for line in file.read_text().splitlines()] == ["kept"]
    configure_logs("info", stream=stream)


NOTHING_LOGGED = """
import io, sys
from opsctl.logs import configure_logs, logger
stream = io.StringIO()
configure_logs("info", stream=stream)
assert "logging" not in sys.modules
logger("opsctl.disk").info("disk filling")
assert '"disk filling"' in stream.getvalue(), stream.getvalue()
"""


def test_a_run_that_logs_nothing_does_not_import_logging() -> None:
    subprocess.run([sys.executable, "-S", "-c", NOTHING_LOGGED], check=True, cwd=ROOT, timeout=60)


LOGGED_BY_A_SERVICE = """
import logging, sys
from opsctl.logs import logger
logging.basicConfig(stream=sys.stdout, format="the service's own: %(message)s")
logger("opsctl.kit").warning("redis is unavailable")
"""


def test_without_configuration_records_go_where_the_services_own_go() -> None:
    argv = [sys.executable, "-c", LOGGED_BY_A_SERVICE]
    output = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)

    assert output.stdout == "the service's own: redis is unavailable\n"


def test_a_value_without_json_form_is_logged_as_text() -> None:
    record = logging.makeLogRecord({"msg": "x", "thing": object})

    assert "<class 'object'>" in JsonLines(Redactor()).format(record)
