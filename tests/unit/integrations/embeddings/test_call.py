"""The response of an embeddings call: vectors in either encoding, and everything that is a failure."""

import json
import struct
from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from instant.domain.errors import CredentialRejected, OutcomeUnknown, UpstreamError
from instant.domain.exchange import Reply
from instant.domain.executions.failure import Effect, Failure
from instant.domain.secret import Mask, Secret
from instant.integrations.openrouter.embeddings import embeddings_request, from_base64, read_embeddings, to_base64

RECORDED = Path(__file__).parents[5] / "shared" / "data" / "openrouter" / "recorded"
USAGE = {"prompt_tokens": 7, "total_tokens": 7, "cost": 1.4e-7, "is_byok": False}
VECTORS = [[0.5, -0.25, 0.125], [1.0, 0.0, -1.0]]


def coded(numbers: Sequence[float]) -> str:
    """Return base64 of 32-bit floats."""
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def rows(embeddings: Sequence[object]) -> list[dict[str, Any]]:
    """Return rows with these embeddings."""
    return [{"object": "embedding", "embedding": each, "index": at} for at, each in enumerate(embeddings)]


def a_reply(data: object = None, *, status: int = 200, text: str | None = None, **more: Any) -> Reply:
    """Return a response; `text` is its whole body."""
    body = {"object": "list", "data": rows(VECTORS) if data is None else data, "model": "a-model", "usage": USAGE}
    whole = {**body, "provider": "Northwind", "id": "gen-emb-1", **more}
    return Reply(status=status, body=(json.dumps(whole) if text is None else text).encode())


def failed(reply: Reply, **more: Any) -> Failure:
    """Return the failure of a call for two texts."""
    with pytest.raises(Failure) as caught:
        read_embeddings(reply, **{"texts": 2, **more})
    return caught.value


@pytest.mark.parametrize("data", [rows(VECTORS), rows([*map(coded, VECTORS)])], ids=["float", "base64"])
@pytest.mark.parametrize("as_base64", [False, True])
def test_embeddings_are_read_in_both_encodings(data: object, as_base64: bool) -> None:
    answer = read_embeddings(a_reply(data), texts=2, dimensions=3, as_base64=as_base64)
    expected = [*map(coded, VECTORS)] if as_base64 else VECTORS
    assert answer.output == {"type": "json", "content": {"embeddings": expected, "dimensions": 3}}


def test_embeddings_receipt_has_the_reported_cost() -> None:
    receipt = read_embeddings(a_reply(), texts=2).receipt
    assert (receipt.cost_nanousd, receipt.prompt_tokens, receipt.completion_tokens) == (140, 7, 0)
    assert (receipt.generation_id, receipt.provider, receipt.model) == ("gen-emb-1", "Northwind", "a-model")


@pytest.mark.parametrize(
    ("names", "model"),
    [(["north/a-model", "north/a-model-1"], "north/a-model"), (["north/other"], "a-model"), (["a-model"], "a-model")],
)
def test_embeddings_receipt_has_the_whole_id_of_the_model(names: list[str], model: str) -> None:
    assert read_embeddings(a_reply(), texts=2, names=names).receipt.model == model


@pytest.mark.parametrize(
    ("usage", "cost", "tokens"),
    [(None, None, None), ({"prompt_tokens": 7}, None, 0), ({"cost": "0.5"}, 500_000_000, None), ("many", None, None)],
)
def test_embeddings_cost_is_never_computed(usage: object, cost: int | None, tokens: int | None) -> None:
    receipt = read_embeddings(a_reply(usage=usage), texts=2).receipt
    assert (receipt.cost_nanousd, receipt.completion_tokens) == (cost, tokens)


def test_embeddings_cost_keeps_digits_beyond_a_float() -> None:
    text = json.dumps({"data": rows([[0.1, 0.2]]), "usage": USAGE}).replace("1.4e-07", "1.0000000010000000000000000001")
    assert read_embeddings(a_reply(text=text), texts=1).receipt.cost_nanousd == 1_000_000_002


def test_embeddings_rows_without_an_index_are_in_order() -> None:
    data = [{"embedding": VECTORS[0]}, {"embedding": coded(VECTORS[1]), "index": None}]
    content: Any = read_embeddings(a_reply(data), texts=2).output["content"]
    assert content["embeddings"] == VECTORS


@pytest.mark.parametrize(
    "text",
    [
        '\n   \n{"data":[{"embedding" :\n [ 0.5 ,-25e-2 ]}]}',
        '{"note":"\\"embedding\\":[9]","data":[{"embedding":[0.5,-0.25]}]}',
        '{"data":[{"embedding":[0.5,-0.25],"more":{"embedding":[7]}}]}',
        'data: {"data":[{"embedding":[0.5,-0.25]}]}\n\ndata: [DONE]\n\n',
    ],
)
def test_embeddings_numbers_are_found_in_any_layout(text: str) -> None:
    content: Any = read_embeddings(a_reply(text=text), texts=1).output["content"]
    assert content["embeddings"] == [[0.5, -0.25]]


UNUSABLE: dict[str, tuple[object, str]] = {
    "none": ([], "0 for 2 texts"),
    "too few": (rows(VECTORS[:1]), "1 for 2 texts"),
    "too many": (rows([*VECTORS, VECTORS[0]]), "3 for 2 texts"),
    "another order": (rows(VECTORS)[::-1], "another order"),
    "the same index twice": ([rows(VECTORS)[0]] * 2, "another order"),
    "index in words": ([{**row, "index": str(row["index"])} for row in rows(VECTORS)], "another order"),
    "index of another type": ([{**row, "index": bool(row["index"])} for row in rows(VECTORS)], "another order"),
    "empty vectors": (rows([[], []]), "finite numbers"),
    "different lengths": (rows([[1, 2], [1, 2, 3]]), "different lengths"),
    "no embedding": ([{"index": 0}, {"index": 1}], "finite numbers"),
    "no rows": ([None, 7], "finite numbers"),
    "text": (rows([["a"], ["b"]]), "finite numbers"),
    "null": (rows([[1, None], [1, 2]]), "finite numbers"),
    "true": (rows([[1, True], [1, 2]]), "finite numbers"),
    "nested": (rows([[[1]], [[2]]]), "finite numbers"),
    "objects": (rows([{"a": 1}, {"a": 2}]), "finite numbers"),
    "a number": (rows([1, 2]), "finite numbers"),
    "infinite in base64": (rows([coded([1, float("inf")]), coded([1, 2])]), "finite numbers"),
    "no base64": (rows(["not base64", coded([1, 2])]), "finite numbers"),
    "half a number in base64": (rows(["AAAAAAA=", coded([1, 2])]), "finite numbers"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_embeddings_that_do_not_fit_the_texts_are_failures_with_the_receipt(case: str) -> None:
    data, problem = UNUSABLE[case]
    failure = failed(a_reply(data))
    assert problem in failure.error.message
    assert (type(failure.error), failure.effect) == (UpstreamError, Effect.KNOWN)
    assert failure.cost.cost_nanousd == 140
    assert failure.cost.generation_id == "gen-emb-1"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "1" * 5000, "01", "1,"])
def test_embeddings_numbers_that_json_cannot_hold_are_failures(number: str) -> None:
    text = json.dumps({"data": rows([[1, 42]]), "usage": USAGE}).replace("42", number)
    failure = failed(a_reply(text=text), texts=1)
    assert "finite numbers" in failure.error.message
    assert failure.cost.cost_nanousd == 140


def test_embeddings_too_large_for_base64_are_failures() -> None:
    data = rows([[1e39], [1.0]])
    assert read_embeddings(a_reply(data), texts=2).output["content"] == {"embeddings": [[1e39], [1.0]], "dimensions": 1}
    assert failed(a_reply(data), as_base64=True).cost.cost_nanousd == 140


def test_embeddings_of_another_length_than_asked_for_are_a_failure() -> None:
    failure = failed(a_reply(), dimensions=2)
    assert "3 dimensions, not 2" in failure.error.message
    assert failure.cost.cost_nanousd == 140


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", '{"data":null}', '{"data":{}}', '{"data":[{"embedding":[1'])
def test_embeddings_unreadable_response_has_an_unknown_outcome(text: str) -> None:
    failure = failed(a_reply(text=text))
    assert failure.effect is Effect.UNKNOWN
    assert failure.cost.cost_nanousd is None


def test_embeddings_error_in_a_200_is_a_failure() -> None:
    failure = failed(a_reply(error={"code": 401, "message": "User not found."}, usage=None))
    assert type(failure.error) is CredentialRejected
    assert (failure.effect, failure.cost.cost_nanousd) == (Effect.KNOWN, 0)
    assert failed(a_reply(error={"code": 502, "message": "Provider returned error"})).cost.cost_nanousd == 140


@pytest.mark.parametrize(
    ("status", "kind", "effect"),
    [
        (401, CredentialRejected, Effect.KNOWN),
        (400, UpstreamError, Effect.KNOWN),
        (524, OutcomeUnknown, Effect.UNKNOWN),
    ],
)
def test_embeddings_error_status_is_a_failure(status: int, kind: type, effect: Effect) -> None:
    failure = failed(Reply(status=status, body=json.dumps({"error": {"code": status, "message": "No."}}).encode()))
    assert (type(failure.error), failure.effect) == (kind, effect)


def test_embeddings_receipt_has_no_key() -> None:
    mask = Mask(Secret("sk-or-v1-very-secret"))
    reply = a_reply(provider="sk-or-v1-very-secret")
    reply = Reply(status=200, body=reply.body, mask=mask)
    assert read_embeddings(reply, texts=2).receipt.provider == "[key]"


def test_embeddings_request_asks_for_base64() -> None:
    request = embeddings_request({"model": "a/b", "input": ["x"]})
    assert json.loads(request.body or b"") == {"model": "a/b", "input": ["x"], "encoding_format": "base64"}
    assert (request.method, request.path, request.spends) == ("POST", "/embeddings", True)


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not part of the repository")
def test_embeddings_recorded_response_is_read_exactly() -> None:
    body = (RECORDED / "23-embeddings.response.json").read_bytes()
    asked = json.loads((RECORDED / "23-embeddings.request.json").read_bytes())
    (row,) = json.loads(body, parse_float=Decimal)["data"]
    more: dict[str, Any] = {"texts": 1, "dimensions": asked["dimensions"], "names": [asked["model"]]}
    floats, coded = (read_embeddings(Reply(status=200, body=body), **more, as_base64=each) for each in (False, True))
    ((vector,), _), ((text,), _) = (dict(answer.output)["content"].values() for answer in (floats, coded))  # type: ignore[attr-defined]
    assert [Decimal(repr(number)) for number in vector] == row["embedding"]
    assert from_base64(text) == vector
    assert text == to_base64(vector)
    receipt = floats.receipt
    assert (receipt.cost_nanousd, receipt.prompt_tokens, receipt.model) == (140, 7, asked["model"])
    assert receipt.generation_id == "gen-emb-1787150071-l88pwk732bUNp7tMnDno"
