"""The report for a CI server."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from opsctl.sandbox.junit import junit
from opsctl.sandbox.model import SandboxVerdict
from tests.unit.sandbox.test_outcome import RUN


def test_each_run_is_a_case_with_its_output() -> None:
    failed = replace(RUN, image="app:2", verdict=SandboxVerdict.OUT_OF_MEMORY, exit_code=137)

    suite = ET.fromstring(junit((RUN, failed)))[0]  # noqa: S314 - our own

    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    assert [case.attrib["name"] for case in suite] == ["app:1", "app:2"]
    assert suite[0].findtext("system-out") == "said"
    failure = suite[1].find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "out of memory"
    assert "exit code 137" in failure.attrib["message"]


def test_what_xml_cannot_say_does_not_break_it() -> None:
    loud = replace(RUN, last_output="\x1b[31m<&>\x00\ud800]]>", image='a"b<c')

    suite = ET.fromstring(junit((loud,)))[0]  # noqa: S314 - our own

    assert suite[0].findtext("system-out") == "?[31m<&>??]]>"
    assert suite[0].attrib["name"] == 'a"b<c'
