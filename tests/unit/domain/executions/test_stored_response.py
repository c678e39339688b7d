"""Responses that earlier versions stored stay readable."""

import json

import pytest

from instant.domain.executions.delivery import stored_response


def response(content: str) -> str:
    return f'{{"success":true,"output":{{"type":"json","content":{content}}},"model":"a/b"}}'


@pytest.mark.parametrize("content", ['"text"', '{"a":[1,{"b":null}]}', '"\\ud83d\\ude00"'])
def test_stored_response_is_unchanged_if_it_can_be_returned(content: str) -> None:
    text = response(content)
    assert stored_response(text) == json.loads(text)


@pytest.mark.parametrize("depth", [70, 400])
def test_deep_stored_output_becomes_text(depth: int) -> None:
    content = '{"a":' * depth + "1" + "}" * depth
    found = stored_response(response(content))
    assert (found["output"]["type"], json.loads(found["output"]["content"])) == ("text", json.loads(content))
    assert (found["success"], found["model"]) == (True, "a/b")


def test_lone_surrogates_of_a_stored_response_are_replaced() -> None:
    found = stored_response(response('{"\\udc00":"\\ud800x"}'))
    assert found["output"]["content"] == {"?": "?x"}
    json.dumps(found, ensure_ascii=False).encode()
