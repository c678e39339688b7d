"""Moto as it comes, in less time: the same answers, by shorter ways to what its own code computes over and over."""

import functools
from typing import Any

from botocore.model import StructureShape
from moto.core import responses
from moto.core.serialize import BaseJSONSerializer, JSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize

MAX_BYTES = 405_000
"""The most that moto lets an item have."""

SLOW_VALUE: Any = vars(DynamoType)["cast_value"].fget
SLOW_ITEM: Any = vars(Item)["__init__"]
SLOW_ITEMS: Any = vars(Table)["all_items"]

_serialize_structure = BaseJSONSerializer._serialize_type_structure


def hurry() -> None:
    """Replace the slow ways, for the rest of the process; twice is as good as once."""
    quick: list[tuple[Any, str, Any]] = [
        (JSONSerializer, "_serialize_type_structure", structure),
        (DynamoType, "cast_value", property(cast_value)),
        (Item, "__init__", item),
        (Table, "all_items", all_items),
        (responses, "method_names_from_class", functools.cache(method_names_from_class)),
    ]
    for owner, name, way in quick:
        setattr(owner, name, way)


def structure(self: JSONSerializer, serialized: Any, value: Any, shape: StructureShape, key: str) -> None:
    """Write `value`, for instance `{"S": "x"}`, without looking for each of ten members under all of its aliases."""
    if not (shape.name == "AttributeValue" and key and type(value) is dict and len(value) == 1):
        _serialize_structure(self, serialized, value, shape, key)
        return
    ((kind, content),) = value.items()
    match kind, content:
        case ("S" | "N", str()) | ("BOOL" | "NULL", bool()):
            serialized[key] = value
        case (("SS" | "NS"), list()) if all(type(member) is str for member in content):
            serialized[key] = value
        case "M", dict():
            serialized[key] = {kind: (members := dict[str, Any]())}
            for name, member in content.items():
                structure(self, members, member, shape, name)
        case "L", list() if all(type(member) is dict for member in content):
            found = [dict[str, Any]() for _ in content]
            for wrapper, member in zip(found, content, strict=True):
                structure(self, wrapper, member, shape, shape.name)
            serialized[key] = {kind: [wrapper[shape.name] for wrapper in found]}
        case _:
            _serialize_structure(self, serialized, value, shape, key)


def cast_value(self: DynamoType) -> Any:
    """The value that is compared: a text is itself, which moto finds out last."""
    return self.value if self.type == "S" else SLOW_VALUE(self)


def item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """Measure a new item once, and not once more for each of its attributes."""
    self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
    for name, value in attrs.items():
        dict.__setitem__(self.attrs, name, DynamoType(value))
    if sum(bytesize(name) + value.size() for name, value in self.attrs.items()) > MAX_BYTES:
        raise ItemSizeTooLarge


def all_items(self: Table) -> list[Item]:
    """In the order of their keys, which are read once, and not for every comparison."""
    found: list[Any] = [*self.items.values()]
    if self.range_key_attr:
        found = [each for part in found for each in part.values()]
    return sorted(found, key=_place)


def _place(item: Item) -> Any:
    return (item.hash_key.cast_value, item.range_key.cast_value) if item.range_key else item.hash_key.cast_value
