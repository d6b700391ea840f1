"""The JSON Schema of the settings, for editors."""

import json
from typing import Any

from opsctl.settings.model import Settings
from opsctl.settings.reading.validate import model_of


def render_schema() -> str:
    """Render the schema; the text is stable, so that a check can compare it."""
    tree = model_of(Settings).model_json_schema()
    tree["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    tree["title"] = "opsctl settings"
    _without_titles(tree["properties"])
    for definition in tree["$defs"].values():
        _without_titles(definition["properties"])
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _without_titles(properties: dict[str, Any]) -> None:
    for declared in properties.values():
        declared.pop("title", None)
        declared.pop("env", None)
