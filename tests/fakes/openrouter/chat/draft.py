"""What a model is about to answer, before it is put into OpenRouter's words."""

from dataclasses import dataclass, field

from tests.fakes.openrouter.chat import writing
from tests.fakes.openrouter.chat.admission import cap
from tests.fakes.openrouter.chat.call import Call
from tests.fakes.openrouter.chat.picture import small_png
from tests.fakes.openrouter.chat.usage import CHARACTERS_PER_TOKEN, tokens
from tests.fakes.openrouter.exact_json import Json, dumps


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
        """Keep to a cap: thoughts come first, and what does not fit is lost."""
        left = limit - tokens(self.reasoning)
        if left < tokens(self.content):
            self.content = (self.content or "")[: max(left, 0) * CHARACTERS_PER_TOKEN]
            self.finish = "length"
        if self.reasoning and left < 0:
            self.reasoning = self.reasoning[: limit * CHARACTERS_PER_TOKEN]


def write(call: Call, model: Json) -> Draft:
    """The ordinary answer of a model to a call."""
    if _must_call_a_tool(call):
        return Draft(None, tool_calls=[tool_call(tool, call) for tool in call.tools[:1]], finish="tool_calls")
    draft = Draft(_content(call, model), reasoning=_reasoning(call, model))
    if call.wants_images:
        draft.images = [small_png()]
    limit = cap(call, model)
    if limit is not None:
        draft.shorten(limit)
    return draft


def tool_call(tool: Json, call: Call) -> Json:
    """A call of a function, with arguments that fit its schema."""
    function = tool["function"]
    arguments = writing.example(function.get("parameters") or {}, call.prompt)
    return {
        "type": "function",
        "index": 0,
        "id": f"call_{function['name']}_1",
        "function": {"name": function["name"], "arguments": dumps(arguments)},
    }


def _must_call_a_tool(call: Call) -> bool:
    choice = call.body.get("tool_choice")
    return bool(call.tools) and (choice == "required" or isinstance(choice, dict))


def _content(call: Call, model: Json) -> str:
    wanted = call.body.get("response_format") or {}
    known = {"response_format", "structured_outputs"} & set(model["supported_parameters"])
    if known and wanted.get("type") in ("json_object", "json_schema"):
        return writing.structured(call.prompt, wanted)
    return writing.answer(call.prompt)


def _reasoning(call: Call, model: Json) -> str | None:
    ability, wish = model.get("reasoning") or {}, call.body.get("reasoning") or {}
    wanted = bool(wish) and wish.get("enabled", True) and wish.get("effort") != "none"
    on = ability.get("mandatory") or wanted or (not wish and ability.get("default_enabled"))
    thinks = "reasoning" in model["supported_parameters"] and bool(on)
    return writing.thoughts(call.prompt) if thinks else None
