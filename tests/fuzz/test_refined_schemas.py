"""The schemas that the generated requests refine exist in the OpenAPI document."""

import json
from typing import Any

import pytest

from instant.entrypoints.openapi import PLACE
from tests.fuzz.refined_schemas import refine_inputs, refine_settings

REFINED = {"inputs": "Inputs", "config": "Config"}
TEMPLATES = {"ChatBody", "ResponsesBody"}
"""Bodies whose inputs are those of a template, which differ from resource to resource."""


@pytest.mark.parametrize("name", REFINED)
def test_refined_document_covers_every_body_with_this_property(name: str) -> None:
    document: dict[str, Any] = json.loads(PLACE.read_text())
    bodies = {schema for schema in _request_bodies(document) if name in _properties(document, schema)} - TEMPLATES
    refine_inputs(document)
    refine_settings(document)
    refined = {schema for schema in bodies if REFINED[name] in json.dumps(_properties(document, schema)[name])}
    assert refined == bodies
    assert bodies


def _request_bodies(document: dict[str, Any]) -> set[str]:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    content = [each["requestBody"]["content"]["application/json"] for each in operations if "requestBody" in each]
    return {each["schema"]["$ref"].rpartition("/")[2] for each in content if "$ref" in each["schema"]}


def _properties(document: dict[str, Any], schema: str) -> dict[str, Any]:
    return dict(document["components"]["schemas"][schema].get("properties", {}))
