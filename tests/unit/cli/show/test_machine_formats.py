import json
import xml.etree.ElementTree as ET

import pytest

from opsctl.cli.show.machine_formats import RENDERERS, github, junit, nagios, prom
from opsctl.cli.show.sarif import sarif
from opsctl.findings import Figure, Finding, Level

FULL = Finding(
    "disk /",
    Level.CRITICAL,
    "91 % used | nearly full",
    fix="opsctl prune",
    file="configs/prod.yaml",
    line=3,
    figures=(Figure("space", 91.0, "%", 80, 90),),
)
FINE = Finding("engine", Level.OK, "answers", figures=(Figure("skew", 0.5, "s", 2),))
ADVICE = Finding("style", Level.ADVICE, "long", fix="shorten", why="Short is read.", key="ab12")
UNSURE = Finding("redis", Level.UNKNOWN, "no <answer> & no word")


def test_nagios_says_the_worst_first_and_its_figures_after_the_bar() -> None:
    first, *rest = nagios("doctor", [FINE, FULL])

    assert first == (
        "DOCTOR CRITICAL - disk /: 91 % used / nearly full"
        " | 'engine_skew'=0.5s;2 'disk /_space'=91%;80;90"
    )
    assert rest == ["disk /: opsctl prune"]


def test_nagios_counts_the_checks_when_all_is_well() -> None:
    assert nagios("config.check", [Finding("a", Level.OK, "b")]) == ["CONFIG CHECK OK - 1 checks"]


def test_prom_gives_each_check_a_level_and_each_figure_a_series() -> None:
    lines = prom("doctor", [FINE, FULL])

    assert 'opsctl_doctor_level{check="disk /"} 2' in lines
    assert 'opsctl_doctor_space_percent{check="disk /"} 91' in lines
    assert "# TYPE opsctl_doctor_skew_seconds gauge" in lines


def test_github_points_at_the_line_and_keeps_quiet_about_what_is_fine() -> None:
    assert github("doctor", [FINE, FULL]) == [
        "::error file=configs/prod.yaml,line=3,title=doctor disk /"
        "::91 %25 used | nearly full%0Aopsctl prune"
    ]


def test_github_cannot_be_led_into_another_command() -> None:
    hostile = Finding("a::b", Level.WARNING, "x\n::set-output name=y::z", file="a,line=9:b")

    (line,) = github("check", [hostile])

    assert "\n" not in line
    assert line.startswith("::warning file=a%2Cline=9%3Ab,title=check a%3A%3Ab::")


def test_junit_is_xml_that_counts_failures_and_errors() -> None:
    suite = ET.fromstring("\n".join(junit("doctor", [FINE, FULL, UNSURE])))[0]  # noqa: S314 - ours

    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert suite[2][0].get("message") == "no <answer> & no word"
    assert len(suite[0]) == 0


def test_advice_is_no_trouble_to_any_program() -> None:
    suite = ET.fromstring("\n".join(junit("check", [ADVICE])))[0]  # noqa: S314 - ours

    assert nagios("check", [ADVICE]) == ["CHECK OK - 1 checks"]
    assert 'opsctl_check_level{check="style"} 0' in prom("check", [ADVICE])
    assert github("check", [ADVICE]) == ["::notice title=check style::long%0Ashorten"]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_sarif_leaves_out_what_is_fine_and_gives_every_result_a_place() -> None:
    (run,) = json.loads("".join(sarif("check", [FINE, FULL, UNSURE, ADVICE])))["runs"]

    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    places = [r["locations"][0]["physicalLocation"]["artifactLocation"] for r in run["results"]]
    assert levels == {"disk /": "error", "redis": "warning", "style": "note"}
    assert places == [{"uri": "configs/prod.yaml"}, {"uri": "."}, {"uri": "."}]
    assert run["results"][2]["partialFingerprints"] == {"opsctl/1": "ab12"}
    assert run["tool"]["driver"]["rules"][3] == {
        "id": "style",
        "shortDescription": {"text": "Short is read."},
        "help": {"text": "shorten"},
        "defaultConfiguration": {"level": "note"},
    }


@pytest.mark.parametrize("render", RENDERERS.values())
def test_escape_codes_from_outside_stay_text(render: object) -> None:
    assert callable(render)
    hostile = Finding("a\x1b[31m", Level.WARNING, "b\x1b[2J")

    assert "\x1b" not in "\n".join(render("doctor", [hostile]))
