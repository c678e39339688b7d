"""Indexes are replaced in two updates of a stack; nothing reads a retired index."""

import pytest

from instant.adapters.aws import client as aws
from tests.integration.app import deployed_app

READ = {"owned", "by_model", "public", "popular", "reliable"}


@pytest.mark.parametrize(("choice", "retired"), [("keep", {"by_owner"}), ("delete", set())])
def test_retired_indexes_are_deleted_by_parameter(choice: str, retired: set[str]) -> None:
    with deployed_app(RetiredIndexes=choice) as app:
        app.sync()
        made = app.resource(visibility="public")
        table = aws.client("dynamodb").describe_table(TableName=app.name("RESOURCES_TABLE"))["Table"]
        assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == READ | retired
        for listing in ("mine", "public"):
            answer = app.call("GET", "/api/resources", query={"listing": listing}).json
            assert [row["resource_id"] for row in answer["data"]] == [made["resource_id"]]
