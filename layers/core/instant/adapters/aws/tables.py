"""pynamodb tables bound at run time, all with the shared DynamoDB client of the process."""

from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.connection import TableConnection
from pynamodb.constants import NUMBER
from pynamodb.exceptions import DoesNotExist
from pynamodb.models import Model

from instant.adapters.aws.client import client


class Table(Model):
    """A table whose name comes from the environment, not from the code."""

    @classmethod
    def named[T: "Table"](cls: type[T], table_name: str) -> type[T]:
        """This table under its physical name."""
        meta = type("Meta", (), {"table_name": table_name})
        return type(cls.__name__, (cls,), {"Meta": meta, "__module__": cls.__module__})

    @classmethod
    def find[T: "Table"](cls: type[T], hash_key: str, range_key: str | None = None) -> T | None:
        """The item with this key, read consistently."""
        try:
            return cls.get(hash_key, range_key, consistent_read=True)
        except DoesNotExist:
            return None

    @classmethod
    def _get_connection(cls) -> TableConnection:
        table = super()._get_connection()
        table.connection._client = client("dynamodb")  # pynamodb would create a client per table: 50 ms each
        return table

    @property
    def values(self) -> dict[str, Any]:
        """The attributes that are set."""
        return {name: value for name, value in self.attribute_values.items() if value is not None}


class IntegerAttribute(Attribute[int]):
    """An exact integer: pynamodb's number attribute may return a float, which must not be used for money."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """Digits."""
        return str(int(value))

    def deserialize(self, value: str) -> int:
        """Digits."""
        return int(value)
