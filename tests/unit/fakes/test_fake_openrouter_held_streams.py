"""Streams that a test holds at a chunk, and what a call costs whose reader leaves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.fakes.openrouter import FakeOpenRouter
from tests.unit.fakes.conftest import Ask

BODY = {"model": "meadow/lark", "stream": True, "messages": [{"role": "user", "content": "Three ideas for lunch?"}]}


def chunks_until(lines: Iterator[str], count: int) -> list[Any]:
    """Read this many chunks."""
    found: list[Any] = []
    while len(found) < count:
        line = next(lines)
        if line.startswith("data: {"):
            found.append(json.loads(line.removeprefix("data: ")))
    return found


@contextmanager
def opened(client: httpx.Client, **more: Any) -> Iterator[tuple[httpx.Response, Iterator[str]]]:
    """Open a stream; yield the response and its lines."""
    with client.stream("POST", "/chat/completions", json=BODY | more) as response:
        yield response, response.iter_lines()


def record(openrouter: FakeOpenRouter, client: httpx.Client) -> Any:
    """The record of the only call."""
    (number,) = openrouter.generation_ids
    answer = client.get("/generation", params={"id": number})
    return json.loads(answer.raise_for_status().text, parse_float=Decimal)["data"]


def usage(client: httpx.Client) -> Decimal:
    return Decimal(json.loads(client.get("/key").text, parse_float=Decimal)["data"]["usage"])


def test_stream_waits_after_the_chunks_of_its_gate(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    first, second = openrouter.hold_stream(after=2), openrouter.hold_stream(after=3)
    with opened(client) as (_, lines):
        assert len(chunks_until(lines, 2)) == 2
        assert first.wait_until_reached()
        assert not second.wait_until_reached(timeout=0)
        first.set()
        assert len(chunks_until(lines, 1)) == 1
        second.set()
        assert "data: [DONE]" in list(lines)


def test_hold_applies_to_one_stream_only(openrouter: FakeOpenRouter, client: httpx.Client, ask: Ask) -> None:
    hold = openrouter.hold_stream(after=1)
    with opened(client) as (_, lines):
        assert hold.wait_until_reached()
        assert "[DONE]" in ask("Tides?", stream=True).text
        hold.release()
        assert "data: [DONE]" in list(lines)


def test_running_stream_has_no_record(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    openrouter.release_generations()
    hold = openrouter.hold_stream(after=1)
    with opened(client) as (response, lines):
        assert hold.wait_until_reached()
        query = {"id": response.headers["X-Generation-Id"]}
        assert client.get("/generation", params=query).status_code == 404
        hold.release()
        list(lines)
    assert record(openrouter, client)["cancelled"] is False


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_stream_whose_reader_leaves_is_cancelled_and_costs_less(
    openrouter: FakeOpenRouter, client: httpx.Client, chunks: int
) -> None:
    openrouter.release_generations()
    with opened(client) as (_, lines):
        whole = [json.loads(line.removeprefix("data: "), parse_float=Decimal) for line in lines if "usage" in line]
    full, before = whole[0]["usage"], usage(client)
    openrouter.begin_again()
    openrouter.release_generations()
    hold = openrouter.hold_stream(after=chunks)
    with opened(client) as (_, lines):
        chunks_until(lines, chunks)
        assert hold.wait_until_reached()
    assert openrouter.wait_for_hang_up()
    found = record(openrouter, client)
    prompt = full["cost_details"]["upstream_inference_prompt_cost"]
    assert (found["cancelled"], found["finish_reason"], found["streamed"]) == (True, None, True)
    assert prompt <= found["total_cost"] < full["cost"]
    assert (found["total_cost"] == prompt) == (chunks == 0)
    assert found["tokens_completion"] < full["completion_tokens"]
    assert usage(client) == found["total_cost"] < before


def test_stream_of_comments_whose_reader_leaves_costs_its_prompt(
    openrouter: FakeOpenRouter, client: httpx.Client
) -> None:
    openrouter.release_generations()
    openrouter.answer_next("drip")
    with opened(client) as (_, lines):
        assert next(lines) == ": OPENROUTER PROCESSING"
    assert openrouter.wait_for_hang_up()
    found = record(openrouter, client)
    assert (found["cancelled"], found["tokens_completion"]) == (True, 0)
    assert usage(client) == found["total_cost"] > 0


def test_stream_that_ended_is_not_cancelled(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    openrouter.release_generations()
    with opened(client) as (_, lines):
        *_, last = (line for line in lines if "usage" in line)
    cost = json.loads(last.removeprefix("data: "), parse_float=Decimal)["usage"]["cost"]
    assert (record(openrouter, client)["cancelled"], usage(client)) == (False, cost)


def test_script_notices_a_reader_that_leaves(openrouter: FakeOpenRouter, client: httpx.Client) -> None:
    hold = openrouter.hold_stream(after=0)
    openrouter.script(headers={"Content-Type": "text/event-stream"}, chunks=[b": hello\n\n", hold])
    with opened(client):
        assert hold.wait_until_reached()
    assert openrouter.wait_for_hang_up()
    assert openrouter.hang_ups == openrouter.chat_requests
