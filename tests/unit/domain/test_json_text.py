"""Response bodies are measured as Lambda's runtime encodes them."""

import json
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import to_json
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.json_values import json_text, response_bytes, utf8_text

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
)


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")


@given(JSON)
def test_response_bytes_are_exact(value: Any) -> None:
    body = utf8_text(value)
    assert response_bytes(body) + 2 == len(to_json(body).encode())


@pytest.mark.parametrize("text", ['"', "\\", "\n", "中", "\u2028", "\u2029", "\x7f", "😀"])
def test_response_bytes_count_every_escape(text: str) -> None:
    body = utf8_text(text)
    assert response_bytes(body) + 2 == len(to_json(body).encode())


def test_json_text_is_ascii_while_it_fits() -> None:
    assert json_text({"text": "中"}) == '{"text":"\\u4e2d"}'


def test_json_text_is_utf_8_where_ascii_is_too_large() -> None:
    value = ["中" * 1_000_000]
    assert json_text(value) == utf8_text(value) == f'["{value[0]}"]'


def test_utf8_text_of_a_lone_surrogate_is_ascii() -> None:
    assert json.loads(utf8_text(["\ud83d", "中"])) == ["\ud83d", "中"]
    assert utf8_text(["\ud83d"]).isascii()
