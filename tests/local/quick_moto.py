"""Faster replacements for slow functions of moto, with the same results."""

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
from moto.dynamodb.parsing import ast_nodes

MAX_BYTES = 405_000
"""Moto's maximum size of an item."""

SLOW_VALUE: Any = vars(DynamoType)["cast_value"].fget
SLOW_ITEM: Any = vars(Item)["__init__"]
SLOW_ITEMS: Any = vars(Table)["all_items"]
TRAVERSER: Any = vars(ast_nodes)["DepthFirstTraverser"]
SLOW_TRAVERSAL: Any = vars(TRAVERSER)["traverse_node_recursively"]

_serialize_structure = BaseJSONSerializer._serialize_type_structure


def install_fast_paths() -> None:
    """Replace the slow functions for the rest of the process; idempotent."""
    replacements: list[tuple[Any, str, Any]] = [
        (JSONSerializer, "_serialize_type_structure", structure),
        (DynamoType, "cast_value", property(cast_value)),
        (Item, "__init__", item),
        (Table, "all_items", all_items),
        (TRAVERSER, "traverse_node_recursively", traverse),
        (responses, "method_names_from_class", functools.cache(method_names_from_class)),
    ]
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def structure(self: JSONSerializer, serialized: Any, value: Any, shape: StructureShape, key: str) -> None:
    """Serialize a `value` such as `{"S": "x"}` without trying all aliases of all ten members."""
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
    """The value for comparisons; checks first for a string, the most common type."""
    return self.value if self.type == "S" else SLOW_VALUE(self)


def item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """Create an item and compute its size once, instead of once for each attribute."""
    self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
    for name, value in attrs.items():
        dict.__setitem__(self.attrs, name, DynamoType(value))
    if sum(bytesize(name) + value.size() for name, value in self.attrs.items()) > MAX_BYTES:
        raise ItemSizeTooLarge


def all_items(self: Table) -> list[Item]:
    """The items in key order; each key is read once, instead of once for each comparison."""
    found: list[Any] = list(self.items.values())
    if self.range_key_attr:
        found = [each for part in found for each in part.values()]
    return sorted(found, key=_sort_key)


def _sort_key(item: Item) -> Any:
    return (item.hash_key.cast_value, item.range_key.cast_value) if item.range_key else item.hash_key.cast_value


def traverse(self: Any, node: Any, child_id: int = -1) -> Any:
    """Process an expression bottom up; the classes of nodes are compared once, not once for each node."""
    parent: Any = node.parent
    for number, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, number)
        if _is_kind(type(child), _NODE):
            self.traverse_node_recursively(child, number)
    if _is_processed(type(self), type(node), self.nodes_to_be_processed):
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


_NODE: Any = vars(ast_nodes)["Node"]
_is_kind: Any = functools.cache(issubclass)
_PROCESSED: dict[tuple[type, type], bool] = {}


def _is_processed(traverser: type, kind: type, kinds: Any) -> bool:
    known = _PROCESSED.get((traverser, kind))
    if known is None:
        known = _PROCESSED[traverser, kind] = issubclass(kind, kinds())
    return known
