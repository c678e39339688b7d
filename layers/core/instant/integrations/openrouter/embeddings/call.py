"""One embeddings call: its request, and the parsing of its response."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from instant.domain.errors import UpstreamError
from instant.domain.exchange import Reply, Request
from instant.domain.executions.failure import Effect, Failure
from instant.domain.executions.output import Answer
from instant.domain.executions.receipt import Receipt
from instant.integrations.openrouter.embeddings.vectors import Vector, read_base64, read_numbers, to_base64
from instant.integrations.openrouter.errors import failure_of
from instant.integrations.openrouter.parsing import NAME, count, mapping, parse, receipt_of

MAX_ANSWER_BYTES = 72_000_000
"""Maximum size of a response in bytes: 2,048 vectors of 3,072 numbers have 34 MB in base64, and half as many 66 MB."""

_NUMBERS = re.compile(rb'"embedding"\s*+:\s*+\[([^\[\]{}"]*+)\]')


def embeddings_request(body: Mapping[str, Any]) -> Request:
    """The request of one embeddings call; base64 has a quarter of the size of numbers, and is exact."""
    return Request(
        method="POST",
        integration=NAME,
        path="/embeddings",
        body=json.dumps({**body, "encoding_format": "base64"}).encode(),
        headers={"Content-Type": "application/json", "X-OpenRouter-Title": "Instant Resources"},
        max_reply_bytes=MAX_ANSWER_BYTES,
        id_header="x-generation-id",
    )


def read_embeddings(
    reply: Reply, *, texts: int, names: Sequence[str] = (), dimensions: int | None = None, as_base64: bool = False
) -> Answer:
    """The embeddings of `texts` texts; raises `Failure` for any other response, and for vectors that do not fit.

    Both encodings are read, since a provider can ignore the one that was asked for. `names` are the ids of the model.
    """
    if reply.status != 200:
        raise failure_of(reply)
    reply, numbers = _without_numbers(reply)
    body = mapping(parse(reply))
    if error := body.get("error"):
        raise failure_of(reply, mapping(error))
    receipt, rows = _receipt(reply, body, names), body.get("data")
    if not isinstance(rows, list):
        unreadable = UpstreamError("OpenRouter's answer could not be parsed.")
        raise Failure(unreadable, receipt=receipt, effect=Effect.UNKNOWN)
    try:
        vectors = _vectors(rows, numbers, texts)
        found = len(vectors[0])
        if dimensions not in {None, found}:
            raise ValueError(f"vectors of {found} dimensions, not {dimensions}; the model may not support `dimensions`")
        encoded = [to_base64(vector) if as_base64 else vector.tolist() for vector in vectors]
    except ValueError as problem:
        raise Failure(UpstreamError(_unusable(problem)), receipt=receipt) from None
    return Answer({"type": "json", "content": {"embeddings": encoded, "dimensions": found}}, receipt)


def _unusable(problem: ValueError) -> str:
    return f"The provider returned unusable embeddings: {problem}. Choose another provider or model for the resource."


def _without_numbers(reply: Reply) -> tuple[Reply, list[bytes]]:
    """The reply with each array of numbers replaced by `[its place]`, and the arrays.

    A hundred megabytes of numbers take gigabytes as the decimals that `parse` returns. The pattern cannot match inside
    a JSON string, where quotes are escaped.
    """
    arrays: list[bytes] = []

    def take(found: re.Match[bytes]) -> bytes:
        arrays.append(found[1])
        return b'"embedding":[%d]' % (len(arrays) - 1)

    return replace(reply, body=_NUMBERS.sub(take, reply.body)), arrays


def _receipt(reply: Reply, body: Mapping[str, Any], names: Sequence[str]) -> Receipt:
    """The receipt, with the model's whole id: OpenRouter reports embeddings models without their author.

    No embeddings call has completion tokens, and OpenRouter does not report them.
    """
    usage = mapping(body.get("usage"))
    if usage.get("prompt_tokens") is not None and usage.get("completion_tokens") is None:
        body = {**body, "usage": {**usage, "completion_tokens": 0}}
    receipt = receipt_of(reply, body)
    return replace(receipt, model=next((name for name in names if name.endswith(f"/{receipt.model}")), receipt.model))


def _vectors(rows: Sequence[object], numbers: Sequence[bytes], texts: int) -> list[Vector]:
    """A vector for each text, all of one length; raises `ValueError` if there are others."""
    if len(rows) != texts:
        raise ValueError(f"{len(rows)} for {texts} texts")
    vectors = [_vector(mapping(row), place, numbers) for place, row in enumerate(rows)]
    if len({*map(len, vectors)}) != 1:
        raise ValueError("vectors of different lengths")
    return vectors


def _vector(row: Mapping[str, Any], place: int, numbers: Sequence[bytes]) -> Vector:
    if row.get("index") is not None and count(row["index"]) != place:
        raise ValueError("vectors in another order than the texts")
    try:
        match row.get("embedding"):
            case str(text):
                return read_base64(text)
            case [int(at)]:
                return read_numbers(json.loads(b"[%b]" % numbers[at], parse_constant=_refuse))
    except (ValueError, IndexError):
        pass
    raise ValueError("a vector that is not made of finite numbers")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
