"""Indexes are replaced in two updates of a stack; nothing reads a retired index."""

import pytest

from instant.adapters.aws import client as aws
from tests.integration.app import deployed_app

READ = {
    "RESOURCES_TABLE": {"owned", "by_model", "public", "popular", "reliable"},
    "EXECUTIONS_TABLE": {"by_user", "by_api_key", "open"},
}
RETIRED = {"RESOURCES_TABLE": {"by_owner"}, "EXECUTIONS_TABLE": {"by_resource"}}


@pytest.mark.parametrize("choice", ["keep", "delete"])
def test_retired_indexes_are_deleted_by_parameter(choice: str) -> None:
    with deployed_app(RetiredIndexes=choice) as app:
        app.sync()
        made = app.resource(visibility="public")
        for name, read in READ.items():
            table = aws.client("dynamodb").describe_table(TableName=app.name(name))["Table"]
            retired = RETIRED[name] if choice == "keep" else set()
            assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == read | retired
        for listing in ("mine", "public"):
            answer = app.call("GET", "/api/resources", query={"listing": listing}).json
            assert [row["resource_id"] for row in answer["data"]] == [made["resource_id"]]
