import json

import jsonschema
import pytest

from opsctl.settings.example import render_example
from opsctl.settings.model import fields, is_secret, variables
from opsctl.settings.reading.yaml_document import parse_document, to_plain_value
from opsctl.settings.schema import render_schema
from tests.unit.settings.conftest import Load

BASE = "configs/opsctl.yaml"


def test_the_example_says_exactly_the_defaults(load_from: Load) -> None:
    said = load_from({BASE: render_example()}).resolved.settings

    assert said == load_from({BASE: ""}).resolved.settings


def test_the_example_shows_every_setting_its_meaning_and_its_variables() -> None:
    text = " ".join(line.strip().removeprefix("# ") for line in render_example().splitlines())

    for path, field in fields().items():
        assert f"{path.rpartition('.')[2]}:" in text
        assert field.description
        assert f"{field.description} [{', '.join(variables(path, field))}]" in text


def test_what_is_commented_out_in_the_example_is_a_secret() -> None:
    written = to_plain_value(parse_document(render_example(), "x"))

    missing = {
        path
        for path in fields()
        if path != "env" and path.split(".")[1] not in written[path.split(".")[0]]
    }
    assert missing == {path for path, field in fields().items() if is_secret(field)}


def test_given_values_take_the_place_of_defaults(load_from: Load) -> None:
    text = render_example({"project.name": "ticks"})

    assert load_from({BASE: text}).resolved.settings.project.name == "ticks"


def test_the_schema_accepts_the_example() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(render_schema()))

    jsonschema.validate(
        to_plain_value(parse_document(render_example(), "x")), json.loads(render_schema())
    )


@pytest.mark.parametrize("text", ["redis: {prot: 1}", "redis: {port: abc}", "env: production"])
def test_the_schema_refuses_what_settings_refuse(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(to_plain_value(parse_document(text, "x")), json.loads(render_schema()))
