"""The faster code paths for moto return the same results as moto's own."""

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.serialize import BaseJSONSerializer, JSONSerializer, XFormedAttributePicker
from moto.core.utils import get_service_model
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.local import quick_moto

quick_moto.install_fast_paths()
QUERY = get_service_model("dynamodb").operation_model("Query")
NAMES = st.sampled_from(["S", "s", "N", "M", "L", "Items", "", "attribute_value", "x"]) | st.text(max_size=3)
NUMBERS = st.integers().map(str)
SCALARS = st.one_of(
    st.text().map(lambda text: {"S": text}),
    NUMBERS.map(lambda number: {"N": number}),
    st.binary().map(lambda binary: {"B": binary}),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
    st.lists(st.text()).map(lambda texts: {"SS": texts}),
    st.lists(NUMBERS).map(lambda numbers: {"NS": numbers}),
)
ODD = st.sampled_from([{}, {"S": None}, {"N": 1}, {"SS": {"a"}}, {"L": ["a"]}, {"S": "a", "N": "1"}, {"odd": "a"}])


def nested(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A strategy for these values, and for lists and maps of them."""
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda members: {"L": members})
            | st.dictionaries(NAMES, inner, max_size=3).map(lambda members: {"M": members})
        ),
        max_leaves=6,
    )


class SlowSerializer(JSONSerializer):
    """Moto's own serializer."""

    _serialize_type_structure = BaseJSONSerializer._serialize_type_structure


def written(serializer: type[JSONSerializer], item: dict[str, Any]) -> Any:
    """The text of a response that contains the item twice."""
    result = {"Items": [item], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": item}
    return serializer(QUERY, value_picker=XFormedAttributePicker()).serialize(result)["body"]


@given(st.dictionaries(NAMES, nested(SCALARS), max_size=3))
def test_quick_moto_returns_the_same_text(item: dict[str, Any]) -> None:
    assert written(JSONSerializer, item) == written(SlowSerializer, item)


@given(nested(ODD))
def test_quick_moto_handles_invalid_values_like_moto(value: dict[str, Any]) -> None:
    results = []
    for serializer in (JSONSerializer, SlowSerializer):
        try:
            results.append(written(serializer, {"a": value}))
        except Exception as error:
            results.append(type(error))
    assert results[0] == results[1]


def stored(attrs: dict[str, Any], name: str = "x") -> Item:
    return Item(DynamoType({"S": name}), None, attrs)


@given(nested(SCALARS))
def test_quick_moto_returns_the_same_values_and_items(value: dict[str, Any]) -> None:
    quick = stored({"a": value, "b": {"S": "x"}})
    with (
        mock.patch.object(Item, "__init__", quick_moto.SLOW_ITEM),
        mock.patch.object(DynamoType, "cast_value", property(quick_moto.SLOW_VALUE)),
    ):
        slow = stored({"a": value, "b": {"S": "x"}})
        slow_value = DynamoType(value).cast_value
    assert DynamoType(value).cast_value == slow_value
    assert (quick.to_json(), quick.size(), type(quick.attrs)) == (slow.to_json(), slow.size(), type(slow.attrs))


@pytest.mark.parametrize("make", [Item.__init__, quick_moto.SLOW_ITEM], ids=["quick", "slow"])
def test_quick_moto_rejects_an_oversized_item(make: Any) -> None:
    with mock.patch.object(Item, "__init__", make):
        assert stored({"a": {"S": "x" * 202_499}, "b": {"S": "x" * 202_499}}).size() == 405_000
        with pytest.raises(ItemSizeTooLarge):
            stored({"a": {"S": "x" * 202_499}, "b": {"S": "x" * 202_500}})


class Rows:
    """A table with only the attributes that `all_items` reads."""

    def __init__(self, range_key: str | None, items: dict[str, Any]) -> None:
        """Takes items by hash key, then by range key if there is one."""
        self.range_key_attr, self.items = range_key, items


@given(st.lists(st.tuples(st.text(), st.integers()), unique=True))
def test_quick_moto_returns_items_in_key_order(keys: list[tuple[str, int]]) -> None:
    ranged: dict[str, dict[int, Item]] = {}
    for name, number in keys:
        item = Item(DynamoType({"S": name}), DynamoType({"N": str(number)}), {})
        ranged.setdefault(name, {})[number] = item
    for table in (Rows("n", ranged), Rows(None, {name: stored({}, name) for name, _ in keys})):
        assert list(map(id, quick_moto.all_items(table))) == list(map(id, quick_moto.SLOW_ITEMS(table)))  # type: ignore[arg-type]


ACTIONS = st.sampled_from(
    [
        "SET n = n + :one",
        "SET n = if_not_exists(missing, :one), #s = :text",
        "SET n = missing + :one",
        "SET members.x = :text, l = list_append(l, :list)",
        "SET l[0] = :one, n = :one - n REMOVE l[1]",
        "SET n = :one, n = :one",
        "SET id = :text",
        "ADD n :one, texts :texts DELETE more :texts",
        "ADD id :one",
        "REMOVE n, members.x",
        "SET nothing.x = :one",
        "SET n = :absent",
    ]
)


@given(st.lists(ACTIONS, min_size=1, max_size=4))
def test_quick_moto_updates_items_like_moto(actions: list[str]) -> None:
    quick = updated(actions)
    with mock.patch.object(quick_moto.TRAVERSER, "traverse_node_recursively", quick_moto.SLOW_TRAVERSAL):
        assert updated(actions) == quick


def updated(actions: list[str]) -> list[Any]:
    """The item after each update of a new table, or the error."""
    backend = DynamoDBBackend("us-east-1", "123456789012")
    created: dict[str, Any] = {"throughput": None, "indexes": [], "global_indexes": [], "streams": None, "tags": []}
    settings: dict[str, Any] = {
        "billing_mode": "PAY_PER_REQUEST",
        "sse_specification": None,
        "deletion_protection_enabled": False,
    }
    schema, attr = [{"AttributeName": "id", "KeyType": "HASH"}], [{"AttributeName": "id", "AttributeType": "S"}]
    backend.create_table("table", schema=schema, attr=attr, warm_throughput=None, **created, **settings)
    texts, numbers = {"SS": ["a", "b"]}, {"L": [{"N": "1"}, {"N": "2"}]}
    item = {"id": {"S": "a"}, "n": {"N": "1"}, "l": numbers, "members": {"M": {}}, "texts": texts, "more": texts}
    backend.put_item("table", item)
    values = {":one": {"N": "1"}, ":text": {"S": "t"}, ":texts": {"SS": ["b", "c"]}, ":list": {"L": [{"N": "3"}]}}
    results: list[Any] = []
    for action in actions:
        try:
            results.append(backend.update_item("table", {"id": {"S": "a"}}, action, {"#s": "s"}, values).to_json())
        except Exception as error:
            results.append((type(error), str(error)))
    return results
