"""The template for imports has exactly what outlives a stack, and refers to nothing else."""

import json
import re

from tests.architecture.import_template import import_template
from tests.architecture.project import template

IMPORT = import_template()


def test_import_template_has_every_retained_resource_but_the_log_role() -> None:
    retained = {name for name, body in template()["Resources"].items() if "DeletionPolicy" in body}
    assert retained - IMPORT["Resources"].keys() == {"ApiLogGroup", "ApiLogRole"}
    assert IMPORT["Resources"].keys() <= retained


def test_import_template_refers_only_to_itself() -> None:
    text = json.dumps(IMPORT, default=str)
    refs = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r'"Fn::GetAtt": \["(\w+)"', text))
    assert refs <= IMPORT["Resources"].keys() | IMPORT["Parameters"].keys()


def test_import_template_fits_into_one_request() -> None:
    """CreateChangeSet takes 51,200 bytes; more must be uploaded."""
    assert len(json.dumps(IMPORT, indent=2, default=str)) <= 51_200


def test_import_template_needs_no_transform_and_adds_no_outputs() -> None:
    assert not {"Transform", "Outputs"} & IMPORT.keys()
