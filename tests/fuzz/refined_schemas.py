"""Refines the OpenAPI document for an app with known resources, so that generated calls succeed."""

import json
from collections.abc import Mapping
from typing import Any

from instant.resource_types import RESOURCE_TYPES

RESOURCE_TYPE = RESOURCE_TYPES["openrouter_instant"]
_CONFIGS = ("NewResource", "PreviewBody", "ResourceChanges")
_INPUTS = ("Execute", "PreviewBody")


def insert_existing_ids(document: dict[str, Any], ids: Mapping[str, str]) -> None:
    """Replace the placeholders in the examples by ids that exist."""
    text = json.dumps(document)
    for placeholder, name in ids.items():
        text = text.replace(placeholder, name)
    document.update(json.loads(text))


def refine_inputs(document: dict[str, Any]) -> None:
    """Replace "any object" by the schema of the inputs, and allow no overrides."""
    schemas = document["components"]["schemas"]
    text = json.dumps(RESOURCE_TYPE.inputs_schema()).replace("#/$defs/", "#/components/schemas/Inputs")
    inputs: dict[str, Any] = json.loads(text)
    schemas |= {f"Inputs{name}": schema for name, schema in inputs.pop("$defs").items()}
    schemas["Inputs"] = inputs
    for name in _INPUTS:
        schemas[name]["properties"]["inputs"] = {"$ref": "#/components/schemas/Inputs"}
        schemas[name]["properties"]["overrides"]["maxProperties"] = 0


def refine_settings(document: dict[str, Any]) -> None:
    """Replace "any object" by the schema of the settings."""
    schemas = document["components"]["schemas"]
    config = RESOURCE_TYPE.Config.model_json_schema(ref_template="#/components/schemas/Config{model}")
    schemas |= {f"Config{name}": schema for name, schema in config.pop("$defs").items()}
    schemas["Config"] = config
    for name in _CONFIGS:
        properties, settings = schemas[name]["properties"], {"$ref": "#/components/schemas/Config"}
        may_be_null = "anyOf" in properties["config"]
        properties["config"] = {"anyOf": [settings, {"type": "null"}]} if may_be_null else settings
