"""Response bodies are measured as Lambda's runtime encodes them."""

import json
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import to_json
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.json_values import json_text, response_bytes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
)


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")


@given(JSON)
def test_response_bytes_are_exact(value: Any) -> None:
    body = json_text(value)
    assert response_bytes(body) + 2 == len(to_json(body).encode())


@pytest.mark.parametrize("text", ['"', "\\", "\n", "中", "\u2028", "\u2029", "\x7f", "😀"])
def test_response_bytes_count_every_escape(text: str) -> None:
    body = json_text(text)
    assert response_bytes(body) + 2 == len(to_json(body).encode())


def test_json_text_is_utf_8() -> None:
    assert json_text({"text": "中"}) == '{"text":"中"}'


def test_json_text_of_a_lone_surrogate_is_ascii() -> None:
    assert json.loads(json_text(["\ud83d", "中"])) == ["\ud83d", "中"]
    assert json_text(["\ud83d"]).isascii()
