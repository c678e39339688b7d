"""Prints the template that imports what a deleted stack left: its tables, bucket, keys, queue and log group.

CloudFormation imports resources with a deletion policy, and neither creates others nor adds outputs at the same time.
"""

import json

from tests.architecture.project import Json, template

SECTIONS = ("AWSTemplateFormatVersion", "Parameters", "Rules", "Conditions")
IMPORTED = (
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
)


def import_template() -> Json:
    """The sections and resources for the import; the log group of the API is left out, since it names its role."""
    retained = {
        name: body
        for name, body in template()["Resources"].items()
        if body["Type"] in IMPORTED and body.get("Condition") != "LogsRequests"
    }
    return {name: template()[name] for name in SECTIONS} | {"Resources": retained}


if __name__ == "__main__":
    print(json.dumps(import_template(), indent=2, default=str))
