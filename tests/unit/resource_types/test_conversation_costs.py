"""Generated conversations: the service accepts each that is accepted here, and charges at most the maximum cost."""

import json
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instant.domain.catalog.model import CatalogModel
from instant.domain.errors import InvalidField
from instant.domain.executions.plan import Plan
from instant.domain.json_values import strings_in
from instant.integrations.openrouter.catalog.rows import read_row
from instant.resource_types.openrouter_instant import OpenRouterInstant
from instant.resource_types.resource_type import Call
from tests.fakes.openrouter import FakeOpenRouter
from tests.fakes.openrouter.catalog import default_catalog
from tests.fakes.openrouter.messages.reasoning import details
from tests.timeouts import HANG_SECONDS

NAMES = ("anthropic/claude-sonnet-4.5", "google/gemini-2.5-flash", "openai/gpt-5-mini", "meadow/lark-mini")
ROWS = {row["id"]: row for row in default_catalog()}
TOOL = {"type": "function", "function": {"name": "look", "description": "é" * 1_000, "parameters": {"type": "object"}}}
PDF = b64encode(b"%PDF-1.7 1 0 obj <</Type/Page>> endobj").decode()
WAV = b64encode(b"RIFF....WAVEfmt ").decode()
MEDIA: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
    {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
    {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
]

WORDS = st.text(st.sampled_from('ab é漢🙂\n"\\{}'), min_size=1, max_size=20).filter(str.strip)
TEXTS = st.builds(lambda text, times: text * times, WORDS, st.integers(1, 200))
TEXT_PARTS = st.builds(lambda text: {"type": "text", "text": text}, TEXTS)
CONTENTS = TEXTS | st.lists(TEXT_PARTS | st.sampled_from(MEDIA), min_size=1, max_size=4)
USERS = st.builds(lambda content: [{"role": "user", "content": content}], CONTENTS)
SYSTEMS = st.builds(
    lambda text, role: [{"role": role, "content": text}], TEXTS, st.sampled_from(["system", "developer"])
)


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw an answer of the model, with the results of its tool calls if it has any."""
    ids = draw(st.lists(st.sampled_from("abc"), unique=True, max_size=3))
    thought = draw(TEXTS)
    answer: dict[str, Any] = {"role": "assistant", "content": draw(st.none() if ids else TEXTS)}
    if draw(st.booleans()):
        answer |= {
            "reasoning": thought,
            "reasoning_details": details(thought, ROWS[draw(st.sampled_from(NAMES[:1] + NAMES))]),
        }
    if ids:
        function = {"name": "look", "arguments": json.dumps({"q": draw(TEXTS)})}
        answer["tool_calls"] = [{"id": each, "type": "function", "function": function} for each in ids]
    return [answer, *({"role": "tool", "tool_call_id": each, "content": draw(TEXTS)} for each in ids)]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw a conversation; in some, a message is missing, repeated or at another place."""
    turns = draw(st.lists(SYSTEMS | USERS | answers(), max_size=5))
    messages = [message for turn in [*turns, draw(USERS)] for message in turn]
    place = draw(st.integers(0, len(messages) - 1))
    match draw(st.sampled_from(["valid", "valid", "missing", "repeated", "moved"])):
        case "missing":
            del messages[place]
        case "repeated":
            messages.insert(place, messages[draw(st.integers(0, len(messages) - 1))])
        case "moved":
            messages.insert(draw(st.integers(0, len(messages) - 1)), messages.pop(place))
        case _:
            pass
    return messages


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of the fake service."""
    headers = {"Authorization": "Bearer sk-or-v1-0123456789abcdef"}
    with (
        FakeOpenRouter() as service,
        httpx.Client(base_url=service.url, headers=headers, timeout=HANG_SECONDS, verify=False) as running,
    ):
        yield running


def model_of(name: str) -> CatalogModel:
    """Return the model of the fake catalog."""
    row = read_row(json.loads(json.dumps(ROWS[name]), parse_float=Decimal))
    assert row is not None
    return row.model


def plan_of(name: str, messages: list[dict[str, Any]], overrides: dict[str, Any]) -> Plan | None:
    """Return the plan of a conversation; None if it is rejected."""
    call = Call(
        config={"model": name, "system_prompt": "Be brief.", "allow_system_messages": True},
        inputs={"messages": messages},
        models=[model_of(name)],
        cap_nanousd=10**15,
        user="u",
        overrides=overrides,
        compatible=True,
    )
    try:
        return OpenRouterInstant().plan(call)
    except InvalidField:
        return None


@settings(max_examples=150)
@given(
    name=st.sampled_from(NAMES),
    messages=conversations(),
    overrides=st.sampled_from([{}, {"tools": [TOOL]}, {"tools": [TOOL], "tool_choice": "required"}]),
)
def test_conversation_costs_at_most_the_maximum(
    client: httpx.Client, name: str, messages: list[dict[str, Any]], overrides: dict[str, Any]
) -> None:
    plan = plan_of(name, messages, overrides)
    if plan is None:
        return
    reply = client.post("/chat/completions", content=plan.request.body)
    assert reply.status_code == 200, reply.text
    usage = json.loads(reply.text, parse_float=Decimal)["usage"]
    assert usage["cost"] * 10**9 <= plan.worst_nanousd
    body = json.loads(plan.request.body or b"")
    prices = {key: Decimal(ROWS[name]["pricing"][key]) for key in ("prompt", "completion")}
    most = prices["prompt"] * bytes_in(body) + prices["completion"] * body["max_completion_tokens"]
    assert most * 10**9 <= plan.worst_nanousd, "a model can read each byte as one token"


def bytes_in(body: dict[str, Any]) -> int:
    """Return the size of all text of a request that a model reads."""
    read = strings_in([body["messages"], body.get("tools")])
    return sum(len(text.encode()) for text in read if not text.startswith(("data:", "https:", WAV)))


def test_generated_conversations_are_of_every_kind() -> None:
    kinds = set[str]()

    @settings(max_examples=200, database=None)
    @given(conversations())
    def read(messages: list[dict[str, Any]]) -> None:
        roles = {message["role"] for message in messages}
        accepted = plan_of("google/gemini-2.5-flash", messages, {}) is not None
        kinds.update({*roles, "accepted"} if accepted else {"rejected"})

    read()
    assert kinds == {"accepted", "rejected", "system", "developer", "user", "assistant", "tool"}
