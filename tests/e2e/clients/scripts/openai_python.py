"""Runs calls with the official `openai` package and prints what they returned, as JSON.

Reads `{"client": {…}, "calls": {name: [function, arguments]}}` from standard input. It knows nothing of this project.
"""

import asyncio
import json
import sys
from typing import Any

import openai
from openai import AsyncOpenAI, OpenAI
from openai.types import CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response
from pydantic import BaseModel

Json = dict[str, Any]

WEATHER = {"get_weather": "21 °C", "get_time": "noon"}
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
        },
    }
    for name in WEATHER
]


class Review(BaseModel):
    """The shape of a structured answer."""

    title: str
    stars: int


def checked(kind: Any, value: Any) -> Json:
    """The value as a dictionary, validated against the package's own types."""
    found: Json = value.to_dict()
    kind.model_validate(found)
    return found


def chat(client: OpenAI, **arguments: Any) -> Json:
    """One completion."""
    completion = client.chat.completions.create(**arguments)
    return {**checked(ChatCompletion, completion), "request_id": completion._request_id}


def stream(client: OpenAI, **arguments: Any) -> Json:
    """A streamed completion: its chunks, and the error that ended it."""
    chunks: list[Json] = []
    try:
        events = client.chat.completions.create(stream=True, **arguments)
        chunks.extend(checked(ChatCompletionChunk, chunk) for chunk in events)
    except openai.APIError as error:
        return {"chunks": chunks, **raised(error)}
    return {"chunks": chunks}


def leave(client: OpenAI, chunks: int, **arguments: Any) -> Json:
    """Close a stream after some chunks."""
    with client.chat.completions.create(stream=True, **arguments) as events:
        return {"chunks": [checked(ChatCompletionChunk, next(events)) for _ in range(chunks)]}


def helper(client: OpenAI, **arguments: Any) -> Json:
    """The completion that the package's own helper joins from a stream."""
    found: Json = _joined(client, **arguments).to_dict()
    return found


def _whole(client: OpenAI, **arguments: Any) -> Any:
    return client.chat.completions.create(**arguments)


def _joined(client: OpenAI, **arguments: Any) -> Any:
    with client.chat.completions.stream(**arguments) as events:
        return events.get_final_completion()


def parse(client: OpenAI, **arguments: Any) -> Json:
    """A structured answer, read by the package."""
    parsed = client.chat.completions.parse(response_format=Review, **arguments).choices[0].message.parsed
    return {"parsed": parsed and parsed.model_dump()}


def tools(client: OpenAI, streamed: bool, messages: list[Any], **arguments: Any) -> Json:
    """A conversation with two turns: calls of tools, then the answer from their results."""
    join = _joined if streamed else _whole
    first = join(client, messages=messages, tools=TOOLS, **arguments)
    answer = first.choices[0].message
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": WEATHER[call.function.name]} for call in answer.tool_calls
    ]
    second = join(client, messages=[*messages, answer, *results], tools=TOOLS, **arguments)
    return {"turns": [first.to_dict(), second.to_dict()]}


def respond(client: OpenAI, **arguments: Any) -> Json:
    """One response, with the text that the package joins."""
    response = client.responses.create(**arguments)
    return {**checked(Response, response), "output_text": response.output_text, "request_id": response._request_id}


def respond_stream(client: OpenAI, **arguments: Any) -> Json:
    """A streamed response: its events, and the error that ended it."""
    events: list[Json] = []
    try:
        events.extend(event.to_dict() for event in client.responses.create(stream=True, **arguments))
    except openai.APIError as error:
        return {"events": events, **raised(error)}
    return {"events": events}


def respond_helper(client: OpenAI, **arguments: Any) -> Json:
    """The response that the package's own helper joins from a stream."""
    with client.responses.stream(**arguments) as events:
        response = events.get_final_response()
    return {**response.to_dict(), "output_text": response.output_text}


def respond_parse(client: OpenAI, **arguments: Any) -> Json:
    """A structured answer, read by the package."""
    parsed = client.responses.parse(text_format=Review, **arguments).output_parsed
    return {"parsed": parsed and parsed.model_dump()}


def respond_tools(client: OpenAI, **arguments: Any) -> Json:
    """A conversation with two turns: calls of tools, then the answer from their results."""
    flat: Any = [{"type": "function", "strict": None, **tool["function"]} for tool in TOOLS]
    items: list[Any] = [{"role": "user", "content": arguments.pop("input")}]
    first = client.responses.create(input=items, tools=flat, **arguments)
    results = [
        {"type": "function_call_output", "call_id": item.call_id, "output": WEATHER[item.name]}
        for item in first.output
        if item.type == "function_call"
    ]
    second = client.responses.create(input=[*items, *first.output, *results], tools=flat, **arguments)
    return {"turns": [first.to_dict(), second.to_dict()], "output_text": second.output_text}


def embed(client: OpenAI, **arguments: Any) -> Json:
    """Embeddings."""
    found = client.embeddings.create(**arguments)
    # The package returns base64 as it is, contrary to its type.
    return found.to_dict() if arguments.get("encoding_format") == "base64" else checked(CreateEmbeddingResponse, found)


def models(client: OpenAI) -> Json:
    """All models."""
    return {"rows": [checked(Model, row) for row in client.models.list()]}


def retrieve(client: OpenAI, model: str) -> Json:
    """One model."""
    return checked(Model, client.models.retrieve(model))


def raw(client: OpenAI, **arguments: Any) -> Json:
    """A completion with its headers."""
    response = client.chat.completions.with_raw_response.create(**arguments)
    return {"headers": dict(response.headers), **checked(ChatCompletion, response.parse())}


def concurrent(client: OpenAI, times: int, **arguments: Any) -> Json:
    """Several completions and streams at once, with the asynchronous client."""
    return asyncio.run(_concurrent(client, times, arguments))


async def _concurrent(client: OpenAI, times: int, arguments: Json) -> Json:
    async with AsyncOpenAI(base_url=client.base_url, api_key=client.api_key) as twin:

        async def text() -> str:
            events: Any = await twin.chat.completions.create(stream=True, **arguments)
            return "".join([(chunk.choices[0].delta.content or "") async for chunk in events if chunk.choices])

        answers = await asyncio.gather(*(twin.chat.completions.create(**arguments) for _ in range(times)))
        streams = await asyncio.gather(*(text() for _ in range(times)))
    return {"answers": [answer.choices[0].message.content for answer in answers], "streams": streams}


def raised(error: openai.APIError) -> Json:
    """An error as a caller sees it."""
    names = ("status_code", "code", "type", "param", "message", "request_id", "body")
    return {"raised": type(error).__name__, **{name: getattr(error, name, None) for name in names}}


FUNCTIONS = (
    chat, stream, leave, helper, parse, tools, respond, respond_stream, respond_helper, respond_parse, respond_tools,
    embed, models, retrieve, raw, concurrent,
)  # fmt: skip


def main() -> None:
    """Run the calls in order."""
    asked = json.load(sys.stdin)
    functions = {function.__name__: function for function in FUNCTIONS}
    facts: Json = {}
    with OpenAI(**asked["client"]) as client:
        for name, (function, arguments) in asked["calls"].items():
            try:
                facts[name] = functions[function](client, **arguments)
            except openai.APIError as error:
                facts[name] = raised(error)
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
