"""Prints the CloudFormation template that SAM generates, in which errors such as circular references are visible."""

import copy
import json
import logging

from boto3.session import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from tests.architecture.project import Json, template

CODE_PROPERTY = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


def transformed() -> Json:
    """The transformed template with a placeholder for the code location, because nothing is uploaded."""
    source = copy.deepcopy(template())
    for resource in source["Resources"].values():
        if resource["Type"] in CODE_PROPERTY:
            resource["Properties"][CODE_PROPERTY[resource["Type"]]] = "s3://bucket/key"
    session = Session(region_name="us-east-1")
    return Translator({}, Parser(), boto_session=session).translate(source, {})


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    print(json.dumps(transformed(), indent=2))
