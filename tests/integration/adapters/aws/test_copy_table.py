"""Copying the rows of a recovered table: all of them, exactly, and only into a table with the same keys."""

import pytest

from instant.adapters.aws import client as aws
from instant.adapters.aws.batch_writes import MAX_ITEMS
from instant.entrypoints.copy_table import main
from tests.integration.app import App


def rows(table: str) -> list[dict[str, object]]:
    found = aws.client("dynamodb").scan(TableName=table)["Items"]
    return sorted(found, key=lambda row: str(row["name"]))


def recovered(cloud: App, count: int) -> str:
    """The name of a table like that of the limits, with rows of its own."""
    client, name = aws.client("dynamodb"), "limits-recovered"
    table = client.describe_table(TableName=cloud.name("LIMITS_TABLE"))["Table"]
    if name not in client.list_tables()["TableNames"]:
        keys = {part: table[part] for part in ("KeySchema", "AttributeDefinitions")}
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys)
    for number in range(count):
        item = {"name": {"S": f"row#{number:03}"}, "number": {"N": "1E-9"}, "map": {"M": {"a": {"B": b"\x00"}}}}
        client.put_item(TableName=name, Item=item)
    return name


def test_copy_writes_every_row_exactly(cloud: App, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = recovered(cloud, 2 * MAX_ITEMS + 1), cloud.name("LIMITS_TABLE")
    aws.client("dynamodb").put_item(TableName=target, Item={"name": {"S": "row#000"}, "later": {"S": "lost"}})
    assert main([source, target]) == 0
    assert rows(target) == rows(source)
    assert capsys.readouterr().out == f"51 rows copied from {source} to {target}.\n"


@pytest.mark.parametrize(("target", "reason"), [("EXECUTIONS_TABLE", "have different keys"), (None, "not found")])
def test_copy_rejects_another_table(
    cloud: App, capsys: pytest.CaptureFixture[str], target: str | None, reason: str
) -> None:
    assert main([recovered(cloud, 0), cloud.name(target) if target else "nowhere"]) == 1
    assert reason in capsys.readouterr().err
