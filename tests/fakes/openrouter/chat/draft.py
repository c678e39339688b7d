"""The content of an answer, before it is formatted as a completion."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.fakes.openrouter.chat import writing
from tests.fakes.openrouter.chat.admission import cap
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.image import requested_images, small_png
from tests.fakes.openrouter.chat.usage import CHARACTERS_PER_TOKEN, tokens
from tests.fakes.openrouter.exact_json import Json, dumps
from tests.fakes.openrouter.messages.tools import results


@dataclass
class Draft:
    """The parts of an answer; `finish` is OpenRouter's finish_reason."""

    content: str | None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Json] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    finish: str = "stop"
    error: Json | None = None

    def shorten(self, limit: int) -> None:
        """Truncate the answer to a token limit; reasoning uses the limit first."""
        left = limit - tokens(self.reasoning)
        if left < tokens(self.content):
            self.content = (self.content or "")[: max(left, 0) * CHARACTERS_PER_TOKEN]
            self.finish = "length"
        if self.reasoning and left < 0:
            self.reasoning = self.reasoning[: limit * CHARACTERS_PER_TOKEN]


def write(call: Call, model: Json) -> Draft:
    """The answer of a model to a call, without directives that change it."""
    if forced := _forced_tools(call)[:1]:
        return Draft(None, tool_calls=tool_calls(forced, call), finish="tool_calls")
    draft = Draft(_content(call, model), reasoning=_reasoning(call, model))
    if call.wants_images:
        draft.images = requested_images(call.directives) or [small_png()]
    limit = cap(call, model)
    if limit is not None:
        draft.shorten(limit)
    return draft


def tool_calls(tools: Sequence[Json], call: Call) -> list[Json]:
    """One call of each tool, with arguments that fit its schema."""
    return [_tool_call(tool, call, index) for index, tool in enumerate(tools)]


def _tool_call(tool: Json, call: Call, index: int) -> Json:
    function = tool["function"]
    arguments = writing.example(function.get("parameters") or {}, call.prompt)
    return {
        "type": "function",
        "index": index,
        "id": f"call_{function['name']}_{index + 1}",
        "function": {"name": function["name"], "arguments": dumps(arguments)},
    }


def _forced_tools(call: Call) -> list[Json]:
    """The tools that `tool_choice` requires."""
    choice = call.body.get("tool_choice")
    if isinstance(choice, dict):
        return [tool for tool in call.tools if tool["function"]["name"] == choice["function"]["name"]]
    return call.tools if choice == "required" else []


def _content(call: Call, model: Json) -> str | None:
    if "text" not in model["architecture"]["output_modalities"]:
        return None
    wanted = call.body.get("response_format") or {}
    known = {"response_format", "structured_outputs"} & set(model["supported_parameters"])
    if known and wanted.get("type") in ("json_object", "json_schema"):
        return writing.structured(call.prompt, wanted)
    if found := results(call.messages):
        return writing.from_results(found)
    return writing.answer(call.prompt)


def _reasoning(call: Call, model: Json) -> str | None:
    capability, effort = model.get("reasoning") or {}, call.body.get("reasoning_effort")
    requested = call.body.get("reasoning") or ({"effort": effort} if effort else {})
    wanted = bool(requested) and requested.get("enabled", True) and requested.get("effort") != "none"
    on = capability.get("mandatory") or wanted or (not requested and capability.get("default_enabled"))
    thinks = "reasoning" in model["supported_parameters"] and bool(on)
    return writing.thoughts(call.prompt) if thinks else None
