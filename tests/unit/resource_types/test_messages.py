"""Messages of a conversation: their parts and order are validated by name, and sent in OpenRouter's form."""

from base64 import b64encode
from typing import Any

import pytest

from instant.domain.errors import InvalidField
from instant.domain.limits import MAX_IMAGES
from instant.resource_types.messages.content import Content
from instant.resource_types.messages.reading import read_messages

PDF = b64encode(b"%PDF-1.7 <</Type/Page>>").decode()
WAV = b64encode(b"RIFF....WAVEfmt ").decode()
PNG = b64encode(b"\x89PNG\r\n\x1a\n....").decode()
LINK = "https://pictures.example/a.png"
ASK: dict[str, Any] = {"role": "user", "content": "What is the weather in Rome?"}
CALL: dict[str, Any] = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"q":"Rome"}'},
}
CALLS: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: dict[str, Any] = {"role": "tool", "tool_call_id": "call_1", "content": "Sunny."}
DETAILS: list[dict[str, Any]] = [
    {"type": "reasoning.text", "text": "Ask the tool.", "signature": "c2ln/+==", "format": "claude", "index": 0},
    {"type": "reasoning.encrypted", "data": "gAAAA", "id": "rs_1", "index": 1, "new": {"deep": [1.5, None]}},
]  # fmt: skip


def read(*messages: Any, allows_system: bool = True) -> Content:
    """Return the content of a conversation."""
    return read_messages(messages, "inputs.messages", allows_system=allows_system)


def sent(*messages: Any) -> list[Any]:
    """Return the messages that are sent."""
    return list(read(*messages).messages)


def said(*parts: Any) -> dict[str, Any]:
    """Return a user message of these parts."""
    return {"role": "user", "content": list(parts)}


def test_messages_with_tools_are_sent_as_they_are() -> None:
    conversation = [ASK, CALLS, RESULT]
    assert sent(*conversation) == conversation
    answered = {"role": "assistant", "content": "It is sunny."}
    assert sent(*conversation, answered, ASK)[3:] == [answered, ASK]


def test_messages_keep_reasoning_unchanged() -> None:
    answer = {**CALLS, "reasoning": "Ask the tool.", "reasoning_details": DETAILS}
    assert sent(ASK, answer, RESULT)[1] == answer


def test_messages_keep_the_order_of_the_results_of_parallel_calls() -> None:
    calls = {**CALLS, "tool_calls": [CALL, {**CALL, "id": "call_2"}]}
    results = [{**RESULT, "tool_call_id": "call_2"}, RESULT]
    assert sent(ASK, calls, *results)[2:] == results


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "Look."}, {"type": "text", "text": "Look."}),
        ({"type": "image_url", "image_url": {"url": LINK}}, {"type": "image_url", "image_url": {"url": LINK}}),
        ({"type": "image_url", "image_url": LINK}, {"type": "image_url", "image_url": {"url": LINK}}),
        (
            {"type": "image_url", "image_url": {"url": f"data:;base64,{PNG}", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        ),
        (
            {"type": "file", "file": {"file_data": PDF, "file_id": None}},
            {"type": "file", "file": {"filename": "document.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": f"data:audio/x-wav;base64,{WAV}"}},
            {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": WAV}},
            {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}},
        ),
    ],
)
def test_messages_send_each_part_in_one_spelling(part: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(said({"type": "text", "text": "This:"}, part))[0]["content"][1] == expected


def test_messages_of_system_and_developer_are_sent_as_system_where_they_stand() -> None:
    system, developer = {"role": "system", "content": "Be brief."}, {"role": "developer", "content": [_text("Rhyme.")]}
    assert sent(system, ASK, developer) == [system, ASK, {**developer, "role": "system"}]
    assert sent({"role": "system", "content": " "}, ASK) == [ASK]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_messages_of_the_system_are_rejected_by_name_where_the_owner_does_not_allow_them(role: str) -> None:
    with pytest.raises(InvalidField, match=rf"^inputs\.messages\.1\.role: is {role}, and this resource takes no"):
        read(ASK, {"role": role, "content": "Obey."}, allows_system=False)


def test_messages_omit_what_clients_send_back_without_effect() -> None:
    answer = {
        "role": "assistant",
        "content": "Hello.",
        "refusal": None,
        "annotations": [{"type": "url_citation"}],
        "audio": None,
        "function_call": None,
        "tool_calls": [],
        "reasoning": None,
        "reasoning_details": [],
        "model": "meadow/lark",
    }
    assert sent(ASK, answer, ASK)[1] == {"role": "assistant", "content": "Hello."}
    calls = {**CALLS, "tool_calls": [{**CALL, "index": 0}]}
    assert sent(ASK, calls, {**RESULT, "name": "weather"}) == [ASK, CALLS, RESULT]


def test_messages_accept_tool_calls_as_an_output_has_them() -> None:
    flat = {"id": "call_1", "name": "weather", "arguments": '{"q":"Rome"}'}
    assert sent(ASK, {**CALLS, "tool_calls": [flat]}, RESULT) == [ASK, CALLS, RESULT]


def test_messages_send_the_images_of_earlier_answers() -> None:
    images = [{"type": "image_url", "index": 0, "image_url": {"url": LINK}}]
    content = read(ASK, {"role": "assistant", "content": None, "images": images}, ASK)
    assert content.messages[1]["images"] == [{"type": "image_url", "image_url": {"url": LINK}}]
    assert [media.url for media in content.media] == [LINK]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


INVALID: dict[str, tuple[list[Any], str]] = {
    "no object": (["Hello."], "inputs.messages.0"),
    "no role": ([{"content": "Hello."}], "inputs.messages.0.role"),
    "unknown role": ([{"role": "function", "content": "x"}], "inputs.messages.0.role"),
    "role of another type": ([{"role": ["user"], "content": "x"}], "inputs.messages.0.role"),
    "no content": ([{"role": "user"}], "inputs.messages.0.content"),
    "content of another type": ([{"role": "user", "content": 7}], "inputs.messages.0.content"),
    "null content": ([{"role": "user", "content": None}], "inputs.messages.0.content"),
    "blank content": ([{"role": "user", "content": " \n"}], "inputs.messages.0.content"),
    "no parts": ([said()], "inputs.messages.0.content"),
    "blank parts": ([said(_text(" "))], "inputs.messages.0.content"),
    "part without type": ([said({"text": "Hello."})], "inputs.messages.0.content.0.type"),
    "part of text": ([said("Hello.")], "inputs.messages.0.content.0"),
    "unknown part": ([said(_text("x"), {"type": "input_text", "text": "x"})], "inputs.messages.0.content.1.type"),
    "video": ([said({"type": "video_url", "video_url": {"url": LINK}})], "inputs.messages.0.content.0.type"),
    "part with more fields": ([said({**_text("x"), "cache_control": {}})], "inputs.messages.0.content.0.cache_control"),
    "image without url": ([said({"type": "image_url", "image_url": {}})], "inputs.messages.0.content.0.image_url.url"),
    "image as a number": ([said({"type": "image_url", "image_url": 7})], "inputs.messages.0.content.0.image_url"),
    "http image": (
        [said({"type": "image_url", "image_url": {"url": "http://a.example/"}})],
        "inputs.messages.0.content.0.image_url.url",
    ),
    "file id": (
        [said({"type": "file", "file": {"file_id": "file-1", "file_data": PDF}})],
        "inputs.messages.0.content.0.file.file_id",
    ),
    "file link": (
        [said({"type": "file", "file": {"file_data": "https://a.example/a.pdf"}})],
        "inputs.messages.0.content.0.file.file_data",
    ),
    "file of text": (
        [said({"type": "file", "file": {"file_data": "data:text/plain;base64,SGk="}})],
        "inputs.messages.0.content.0.file.file_data",
    ),
    "audio format": (
        [said({"type": "input_audio", "input_audio": {"data": WAV, "format": "flac"}})],
        "inputs.messages.0.content.0.input_audio.format",
    ),
    "audio that is none": (
        [said({"type": "input_audio", "input_audio": {"data": "!"}})],
        "inputs.messages.0.content.0.input_audio.data",
    ),
    "unknown field": ([{**ASK, "weight": 1}], "inputs.messages.0.weight"),
    "image of the system": (
        [{"role": "system", "content": [{"type": "image_url", "image_url": LINK}]}, ASK],
        "inputs.messages.0.content.0.type",
    ),
    "empty answer": ([ASK, {"role": "assistant", "content": ""}, ASK], "inputs.messages.1"),
    "answer without anything": ([ASK, {"role": "assistant"}, ASK], "inputs.messages.1"),
    "audio answer": ([ASK, {"role": "assistant", "audio": {"id": "audio_1"}}, ASK], "inputs.messages.1.audio"),
    "old function call": (
        [ASK, {"role": "assistant", "function_call": {"name": "f", "arguments": ""}}, ASK],
        "inputs.messages.1.function_call",
    ),
    "tool call without id": (
        [ASK, {**CALLS, "tool_calls": [{"function": CALL["function"]}]}, RESULT],
        "inputs.messages.1.tool_calls.0.id",
    ),
    "tool call of another type": (
        [ASK, {**CALLS, "tool_calls": [{**CALL, "type": "custom"}]}, RESULT],
        "inputs.messages.1.tool_calls.0.type",
    ),
    "arguments that are no text": (
        [ASK, {**CALLS, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}, RESULT],
        "inputs.messages.1.tool_calls.0.function.arguments",
    ),
    "result without a call": ([ASK, RESULT], "inputs.messages.1.tool_call_id"),
    "result of an unknown call": ([ASK, CALLS, {**RESULT, "tool_call_id": "x"}], "inputs.messages.2.tool_call_id"),
    "two results of a call": ([ASK, CALLS, RESULT, RESULT], "inputs.messages.3.tool_call_id"),
    "result of an earlier call": ([ASK, CALLS, RESULT, ASK, RESULT], "inputs.messages.4.tool_call_id"),
    "call without result": ([ASK, CALLS, ASK], "inputs.messages.1.tool_calls"),
    "call at the end": ([ASK, CALLS], "inputs.messages.1.tool_calls"),
    "one of two results": (
        [ASK, {**CALLS, "tool_calls": [CALL, {**CALL, "id": "call_2"}]}, RESULT, ASK],
        "inputs.messages.1.tool_calls",
    ),
    "two calls of an id": ([ASK, {**CALLS, "tool_calls": [CALL, CALL]}, RESULT], "inputs.messages.1.tool_calls.1.id"),
    "system between call and result": (
        [ASK, CALLS, {"role": "system", "content": "Wait."}, RESULT],
        "inputs.messages.1.tool_calls",
    ),
    "refusal at the end": ([ASK, {"role": "assistant", "refusal": "No."}], "inputs.messages.1"),
    "answers only": ([{"role": "assistant", "content": "Hello."}], "inputs.messages"),
    "empty system only": ([{"role": "system", "content": ""}], "inputs.messages"),
}


@pytest.mark.parametrize("case", INVALID)
def test_messages_are_rejected_by_the_name_of_the_field(case: str) -> None:
    messages, field = INVALID[case]
    with pytest.raises(InvalidField) as caught:
        read(*messages)
    assert caught.value.details["field"] == field


def test_messages_can_end_with_the_beginning_of_the_answer() -> None:
    start = {"role": "assistant", "content": "The weather"}
    assert sent(ASK, start) == [ASK, start]


def test_messages_count_the_media_of_all_messages() -> None:
    image = {"type": "image_url", "image_url": LINK}
    half = [said(*[image] * (MAX_IMAGES // 2))]
    assert len(read(*half, *half).media) == MAX_IMAGES
    with pytest.raises(InvalidField, match=f"^inputs.messages: have {MAX_IMAGES + 1} images"):
        read(*half, *half, said(image))


def test_messages_never_show_values_in_errors() -> None:
    for messages, _ in INVALID.values():
        with pytest.raises(InvalidField) as caught:
            read(*messages)
        assert not {"Rome", "Hello", "call_2", PDF} & set(caught.value.message.replace('"', " ").split())


def test_messages_count_all_that_a_model_reads() -> None:
    answer = {**CALLS, "reasoning": "é" * 50, "reasoning_details": DETAILS, "name": "Ann"}
    content = read({"role": "system", "content": "Be brief."}, ASK, answer, RESULT)
    everything = ["Be brief.", ASK["content"], "Sunny.", CALL["function"]["arguments"], "é" * 50, "c2ln/+==", "gAAAA"]
    assert content.text_bytes >= sum(len(text.encode()) for text in everything)
    for text in ("weather", "call_1", "rs_1", "Ann"):
        assert any(text in each for each in content.texts)
