"""Writes the annotated example: the schema's own documentation, as YAML."""

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from opsctl.settings.masks import mask_value
from opsctl.settings.model import Settings, is_secret, sections, variables
from opsctl.settings.section import SettingDeclaration

SCHEMA_FILE = "opsctl.schema.json"


def render_example(values: Mapping[str, Any] | None = None) -> str:
    """Render every setting with its meaning and default; `values` replaces defaults by path."""
    given = values or {}
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Every value is shown with its default. What you delete falls back to it.",
        "# Laid over this file: configs/<env>.yaml, then .env, environment variables, flags.",
        "",
        *_value("env", Settings.declared["env"], given),
    ]
    for name, section in sections():
        lines += ["", f"# {section.__doc__}", f"{name}:"]
        for key, field in section.declared.items():
            lines += [f"  {line}" for line in _value(f"{name}.{key}", field, given)]
    return "\n".join(lines) + "\n"


def _value(path: str, field: SettingDeclaration, given: Mapping[str, Any]) -> Iterator[str]:
    names = ", ".join(variables(path, field))
    for line in wrap(f"{field.description} [{names}]", width=92):
        yield f"# {line}"
    key = path.rpartition(".")[2]
    value = given.get(path, mask_value(field.default))
    # A secret stands in .env; here it would end up in git.
    yield f"# {key}:" if is_secret(field) else f"{key}: {json.dumps(value)}"
