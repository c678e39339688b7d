"""Moto's answers as DynamoDB, written without looking for every member of every value under each of its aliases."""

from typing import Any

from botocore.model import StructureShape
from moto.core.serialize import BaseJSONSerializer, JSONSerializer

_in_general = BaseJSONSerializer._serialize_type_structure


def answer_quickly() -> None:
    """Make moto write attribute values in a tenth of the time: they were half of what a test took."""
    JSONSerializer._serialize_type_structure = _structure  # type: ignore[method-assign, assignment]


def _structure(self: JSONSerializer, serialized: Any, value: Any, shape: StructureShape, key: str) -> None:
    """Write `value`, for instance `{"S": "x"}`, into `serialized` exactly as moto does."""
    if not (shape.name == "AttributeValue" and key and type(value) is dict and len(value) == 1):
        _in_general(self, serialized, value, shape, key)
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
                _structure(self, members, member, shape, name)
        case "L", list() if all(type(member) is dict for member in content):
            found = [dict[str, Any]() for _ in content]
            for wrapper, member in zip(found, content, strict=True):
                _structure(self, wrapper, member, shape, shape.name)
            serialized[key] = {kind: [wrapper[shape.name] for wrapper in found]}
        case _:
            _in_general(self, serialized, value, shape, key)
