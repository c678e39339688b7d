"""Attribute values that are written quickly are the same text as those that moto writes by itself."""

from typing import Any

from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st
from moto.core.serialize import BaseJSONSerializer, JSONSerializer, XFormedAttributePicker

from tests.local.quick_answers import answer_quickly

answer_quickly()
QUERY = get_session().get_service_model("dynamodb").operation_model("Query")
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
    st.lists(st.binary()).map(lambda binaries: {"BS": binaries}),
    st.sampled_from([{}, {"S": None}, {"N": 1}, {"SS": {"a"}}, {"L": ["a"]}, {"S": "a", "N": "1"}, {"odd": "a"}]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda members: {"L": members})
        | st.dictionaries(NAMES, inner, max_size=3).map(lambda members: {"M": members})
    ),
    max_leaves=6,
)


class InGeneral(JSONSerializer):
    """Moto as it comes."""

    _serialize_type_structure = BaseJSONSerializer._serialize_type_structure


def written(serializer: type[JSONSerializer], result: Any) -> Any:
    """The answer's text, or the type of the error."""
    try:
        return serializer(QUERY, value_picker=XFormedAttributePicker()).serialize(result)["body"]
    except Exception as error:
        return type(error)


@given(st.dictionaries(NAMES, VALUES, max_size=3))
def test_answers_are_the_same_text(item: dict[str, Any]) -> None:
    result = {"Items": [item], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": item}
    assert written(JSONSerializer, result) == written(InGeneral, result)
