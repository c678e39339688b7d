"""Everything that is stored of one user, in every table and in the bucket; used on an operator's machine only."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from instant.adapters.aws.batch_writes import delete_items
from instant.adapters.aws.client import client
from instant.adapters.executions.ledger_rows import SHARDS
from instant.adapters.executions.output_links import OUTPUTS

type Item = dict[str, Any]

KEYS = {
    "LimitsTable": ("name",),
    "ResourceStatsTable": ("resource_id", "bucket"),
    "UsageTable": ("user_id", "bucket"),
    "ImagesTable": ("image_id",),
    "IntegrationsTable": ("user_id", "service"),
    "ExecutionsTable": ("execution_id",),
    "ResourcesTable": ("resource_id",),
    "ApiKeysTable": ("key_hash",),
}
"""The keys of the tables with rows of users, in the order of erasure: rows that name others come last."""

_OPEN = {"RESERVED", "SENT", "UNKNOWN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRows:
    """The rows of a user by table, and the keys of the user's objects."""

    rows: Mapping[str, list[Item]] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)

    def values(self, table: str, name: str) -> list[str]:
        """The texts of an attribute in the rows of a table that have it."""
        return [row[name]["S"] for row in self.rows[table] if name in row]


class UserRowsStore:
    """Finds and erases rows; `names` has the names of tables and bucket by their ids in the template."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """Use these tables and this bucket."""
        self._names = names

    def of(self, user_id: str) -> UserRows:
        """Everything of the user; the indexes are eventually consistent."""
        keys = list(self._query("ApiKeysTable", "user_id", user_id, "by_user"))
        listed = list(self._query("ResourcesTable", "owner_id", user_id, "owned"))
        executions = [row["execution_id"]["S"] for row in self._query("ExecutionsTable", "user_id", user_id, "by_user")]
        key_ids, resource_ids = (
            [row[name]["S"] for row in rows] for rows, name in ((keys, "key_id"), (listed, "resource_id"))
        )
        rows = {
            "ApiKeysTable": [
                *keys,
                *self._some("ApiKeysTable", [*(f"id#{key}" for key in key_ids), f"user#{user_id}"]),
            ],
            "ResourcesTable": self._some("ResourcesTable", [*resource_ids, f"count#{user_id}"]),
            "ExecutionsTable": self._some("ExecutionsTable", executions),
            "IntegrationsTable": list(self._query("IntegrationsTable", "user_id", user_id)),
            "UsageTable": list(self._query("UsageTable", "user_id", user_id)),
            "ImagesTable": [row for row in self._scan("ImagesTable") if row["user_id"]["S"] == user_id],
            "ResourceStatsTable": [
                row for each in resource_ids for row in self._query("ResourceStatsTable", "resource_id", each)
            ],
            "LimitsTable": list(self._limits([user_id, *key_ids, *resource_ids])),
        }
        return UserRows(rows=rows, objects=[key for each in executions for key in self._objects(each)])

    def open_executions(self, user_id: str, found: UserRows) -> list[str]:
        """The ids of the open executions by the user, and of those by anybody of the user's resources."""
        resources = set(found.values("ResourcesTable", "resource_id"))
        listed = [
            row for shard in range(SHARDS) for row in self._query("ExecutionsTable", "open_shard", str(shard), "open")
        ]
        rows = self._some("ExecutionsTable", [row["execution_id"]["S"] for row in listed])
        return [
            row["execution_id"]["S"]
            for row in rows
            if row["state"]["S"] in _OPEN and (row["user_id"]["S"] == user_id or row["resource_id"]["S"] in resources)
        ]

    def read(self, key: str) -> bytes:
        """The bytes of an object."""
        body: bytes = client("s3").get_object(Bucket=self._names["MediaBucket"], Key=key)["Body"].read()
        return body

    def erase(self, found: UserRows, tables: Iterable[str] = tuple(KEYS)) -> None:
        """Delete objects and rows; those by which the others are found are deleted last, so it can be repeated."""
        for key in found.objects:
            client("s3").delete_object(Bucket=self._names["MediaBucket"], Key=key)
        for table in tables:
            rows = ({name: row[name] for name in KEYS[table]} for row in found.rows[table])
            delete_items(self._names[table], rows)

    def _query(self, table: str, name: str, value: str, index: str | None = None) -> Iterator[Item]:
        pages = (
            client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self._names[table],
                KeyConditionExpression="#name = :value",
                ExpressionAttributeNames={"#name": name},
                ExpressionAttributeValues={":value": {"S": value}},
                **({"IndexName": index} if index else {"ConsistentRead": True}),
            )
        )
        for page in pages:
            yield from page["Items"]

    def _scan(self, table: str) -> Iterator[Item]:
        for page in (
            client("dynamodb").get_paginator("scan").paginate(TableName=self._names[table], ConsistentRead=True)
        ):
            yield from page["Items"]

    def _some(self, table: str, keys: Iterable[str]) -> list[Item]:
        """The rows with these keys that exist."""
        (name,) = KEYS[table]
        replies = (
            client("dynamodb").get_item(TableName=self._names[table], Key={name: {"S": key}}, ConsistentRead=True)
            for key in keys
        )
        return [dict(reply["Item"]) for reply in replies if "Item" in reply]

    def _limits(self, ids: Iterable[str]) -> Iterator[Item]:
        """The counters, budgets and leases that have one of these ids as a part of their name."""
        part = re.compile(rf"(?:^|#)(?:{'|'.join(map(re.escape, ids))})(?:#|$)")
        return (row for row in self._scan("LimitsTable") if part.search(row["name"]["S"]))

    def _objects(self, execution_id: str) -> Iterator[str]:
        listing = client("s3").get_paginator("list_objects_v2")
        for prefix in ("media/", OUTPUTS):
            for page in listing.paginate(Bucket=self._names["MediaBucket"], Prefix=f"{prefix}{execution_id}/"):
                yield from (each["Key"] for each in page.get("Contents", ()))
