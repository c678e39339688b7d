"""The OpenAPI document sharpened for an app whose things are known, so that generated calls get somewhere."""

import json
from collections.abc import Mapping
from typing import Any

from instant.resource_types import RESOURCE_TYPES

KIND = RESOURCE_TYPES["openrouter_instant"]
_CONFIGS = ("NewResource", "PreviewBody", "ResourceChanges")
_INPUTS = ("Execute", "PreviewBody")


def name_real_things(document: dict[str, Any], real: Mapping[str, str]) -> None:
    """Put ids of things that exist where the examples have placeholders."""
    text = json.dumps(document)
    for placeholder, name in real.items():
        text = text.replace(placeholder, name)
    document.update(json.loads(text))


def sharpen_inputs(document: dict[str, Any]) -> None:
    """Say what inputs look like where the document says: any object; and that these resources take no overrides."""
    schemas = document["components"]["schemas"]
    schemas["Inputs"] = dict(KIND.inputs_schema())
    for name in _INPUTS:
        schemas[name]["properties"]["inputs"] = {"$ref": "#/components/schemas/Inputs"}
        schemas[name]["properties"]["overrides"]["maxProperties"] = 0


def sharpen_settings(document: dict[str, Any]) -> None:
    """Say what settings look like where the document says: any object."""
    schemas = document["components"]["schemas"]
    config = KIND.Config.model_json_schema(ref_template="#/components/schemas/Config{model}")
    schemas |= {f"Config{name}": schema for name, schema in config.pop("$defs").items()}
    schemas["Config"] = config
    for name in _CONFIGS:
        properties, settings = schemas[name]["properties"], {"$ref": "#/components/schemas/Config"}
        may_be_null = "anyOf" in properties["config"]
        properties["config"] = {"anyOf": [settings, {"type": "null"}]} if may_be_null else settings
