"""Faster transactions for moto: the backup of a table shares its items, and an update replaces the item it changes."""

import copy
from collections import defaultdict
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

SLOW_UPDATE: Any = vars(DynamoDBBackend)["update_item"]


def install_fast_paths() -> None:
    """Patch moto for the rest of the process; calling it again has no effect."""
    patched: Any = [(Table, "__deepcopy__", backup), (DynamoDBBackend, "update_item", update_item)]
    for owner, name, way in patched:
        setattr(owner, name, way)


def backup(self: Table, memo: dict[int, Any]) -> Table:
    """The table as moto restores it after a cancelled transaction: items are shared, their dictionaries copied."""
    made = copy.copy(self)
    if self.stream_shard:
        vars(made).update(copy.deepcopy(vars(self), memo))
    else:
        made.items = items_of(self)
    return made


def items_of(table: Table) -> Any:
    """New dictionaries with the items of the table, which stay the same when the table changes."""
    parts = table.items
    return defaultdict(dict, {key: dict(part) for key, part in parts.items()} if table.range_key_attr else parts)


def update_item(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Replace the item by a copy before moto updates it in place, so that backups keep the old one."""
    table = self.get_table(table_name)
    if all(name in key for name in table.table_key_attrs):
        _replace_by_copy(self, table, key)
    return SLOW_UPDATE(self, table_name, key, *args, **kwargs)


def _replace_by_copy(backend: DynamoDBBackend, table: Table, key: dict[str, Any]) -> None:
    hash_value, range_value = backend.get_keys_value(table, key)
    found = table.get_item(hash_value, range_value)
    if found is None:
        return
    items: Any = table.items[hash_value] if table.range_key_attr else table.items
    items[range_value or hash_value] = copy.deepcopy(found)
