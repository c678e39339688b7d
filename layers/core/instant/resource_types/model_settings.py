"""The owner's settings of a resource's model, and which of them a model supports."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.not_listed import is_preset, why_not_listed
from instant.domain.limits import (
    MAX_ANSWER_TOKENS,
    MAX_STOP_CHARACTERS,
    MAX_STOPS,
    MAX_TEXT_BYTES,
    MAX_TOOL_DESCRIPTION_CHARACTERS,
    MAX_TOOLS,
)

DEFAULT_MAX_TOKENS = 4_096
"""Default maximum answer length in tokens."""


MAX_USES = 5
"""Maximum searches per call, except with models whose own searches have no limit."""

MAX_STATED_USES = 100
"""Maximum searches per call that an owner can state for a model whose own searches have no limit."""


def _fits(text: str) -> str:
    if (size := len(text.encode())) > MAX_TEXT_BYTES:
        raise ValueError(f"takes {size} bytes in UTF-8; {MAX_TEXT_BYTES} are allowed")
    return text


FITTING = AfterValidator(_fits)
"""Text that is sent to the model; the maximum in characters is the same number as in bytes."""


def _refuse_presets(model_id: object) -> object:
    if isinstance(model_id, str) and is_preset(model_id):
        raise ValueError(why_not_listed(model_id))
    return model_id


type ModelId = Annotated[
    str, StringConstraints(pattern=r"^[^/\s]{1,100}/[^/\s]{1,200}$"), BeforeValidator(_refuse_presets)
]
FUNCTION_NAME = r"^[a-zA-Z0-9_-]{1,64}$"
type FunctionName = Annotated[
    str, StringConstraints(min_length=1, max_length=64), WithJsonSchema({"type": "string", "pattern": FUNCTION_NAME})
]
"""Names in stored settings are read in any form; `check_names` compares new ones with the pattern."""

type Word = Annotated[str, StringConstraints(pattern=r"^[\w./:-]{1,100}$")]
type Overridable = Literal[
    "max_tokens", "temperature", "top_p", "top_k", "top_a", "min_p", "frequency_penalty", "presence_penalty",
    "repetition_penalty", "seed", "stop", "verbosity", "reasoning", "tools", "tool_choice", "parallel_tool_calls",
    "response_format",
]  # fmt: skip
type Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class Strict(BaseModel):
    """Base of settings and inputs: rejects unknown fields, converts no types, and never shows values in errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        protected_namespaces=(),
        strict=True,
        defer_build=True,  # nested models are built with their parent, and a cold start builds only the models it uses
    )


class Reasoning(Strict):
    """How much the model reasons before it answers."""

    effort: Effort | None = None
    max_tokens: int | None = Field(None, ge=1, le=MAX_ANSWER_TOKENS, description="Counts toward max_tokens.")
    enabled: bool | None = None
    exclude: bool | None = Field(None, description="Reason, but omit the reasoning from the answer.")
    summary: Literal["auto", "concise", "detailed"] | None = None


class JsonSchema(Strict):
    """A named JSON Schema that the answer must match."""

    name: FunctionName
    description: Annotated[str, StringConstraints(max_length=MAX_TOOL_DESCRIPTION_CHARACTERS)] | None = None
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = True


class ResponseFormat(Strict):
    """The format of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class FunctionShape(Strict):
    """A function that the model can request; the caller is responsible for calling it."""

    name: FunctionName
    description: Annotated[str, StringConstraints(max_length=MAX_TOOL_DESCRIPTION_CHARACTERS)] | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool | None = None


class Tool(Strict):
    """A tool; functions are the only type."""

    type: Literal["function"] = "function"
    function: FunctionShape


class NamedFunction(Strict):
    """The name of a tool."""

    name: FunctionName


class ForcedTool(Strict):
    """The one tool that the model must call."""

    type: Literal["function"] = "function"
    function: NamedFunction


class ProviderPreferences(Strict):
    """The providers that can serve the model, and their order; the price limit is set by this service."""

    order: list[Word] | None = Field(None, max_length=20)
    only: list[Word] | None = Field(None, max_length=20)
    ignore: list[Word] | None = Field(None, max_length=20)
    quantizations: list[Word] | None = Field(None, max_length=20)
    sort: Literal["price", "throughput", "latency", "exacto"] | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    data_collection: Literal["allow", "deny"] | None = None
    zdr: bool | None = Field(None, description="Only providers with zero data retention.")


class WebSearch(Strict):
    """Web search by the model; both limits affect the maximum cost of a call."""

    max_uses: int = Field(
        1,
        ge=1,
        le=MAX_STATED_USES,
        description=f"Maximum searches per call: at most {MAX_USES}. Deep-research models, whose searches cannot be "
        "limited, require it: it says how many are counted in the maximum cost.",
    )
    max_results: int = Field(5, ge=1, le=20, description="Maximum results per search.")


class ImageConfig(Strict):
    """The format of generated images."""

    aspect_ratio: Annotated[str, StringConstraints(pattern=r"^\d{1,2}:\d{1,2}$")] | None = None
    image_size: Literal["0.5K", "1K", "2K", "4K"] | None = None


class ModelSettings(Strict):
    """The model and its settings; a setting that the model does not support is rejected by name."""

    model: ModelId = Field(description="An id from GET /api/models, such as author/name.")
    fallback_models: list[ModelId] | None = Field(
        None, max_length=2, description="Tried in this order if the model cannot serve the call."
    )
    system_prompt: Annotated[str, StringConstraints(max_length=MAX_TEXT_BYTES), FITTING] | None = Field(
        None, description="The system prompt. Callers can neither see nor change it."
    )
    max_tokens: int | None = Field(
        None, ge=1, le=MAX_ANSWER_TOKENS, description=f"Maximum answer length in tokens; default: {DEFAULT_MAX_TOKENS}."
    )
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=0, le=100_000)
    top_a: float | None = Field(None, ge=0, le=1)
    min_p: float | None = Field(None, ge=0, le=1)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    repetition_penalty: float | None = Field(None, gt=0, le=2)
    seed: int | None = Field(None, ge=-(2**53), le=2**53)
    stop: list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_STOP_CHARACTERS)]] | None = Field(
        None, min_length=1, max_length=MAX_STOPS
    )
    verbosity: Literal["low", "medium", "high"] | None = None
    reasoning: Reasoning | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = Field(None, min_length=1, max_length=MAX_TOOLS)
    tool_choice: Literal["auto", "none", "required"] | ForcedTool | None = None
    parallel_tool_calls: bool | None = None
    modalities: list[Literal["text", "image"]] | None = Field(
        None, min_length=1, max_length=2, description="Types of output; default: all that the model supports."
    )
    image_config: ImageConfig | None = None
    provider: ProviderPreferences | None = None
    web_search: WebSearch | None = None
    pdf_engine: Literal["cloudflare-ai", "mistral-ocr", "native"] | None = None
    overridable: list[Overridable] | None = Field(
        None,
        description="Settings that a caller can override; max_tokens can only be lowered. Clients of OpenAI can "
        "override sampling without it, and add tools and response_format; a list closes all others to them, too.",
    )

    @model_validator(mode="after")
    def _agree_with_one_another(self) -> Self:
        for contradiction in contradictions(self):
            raise ValueError(contradiction)
        return self


def contradictions(settings: ModelSettings) -> Iterator[str]:
    """Contradictory settings, as messages: OpenRouter would reject them, or silently ignore some."""
    thinking, form = settings.reasoning, settings.response_format
    if thinking and thinking.effort and thinking.max_tokens:
        yield "reasoning accepts effort or max_tokens, not both"
    if thinking and thinking.max_tokens and thinking.max_tokens >= (settings.max_tokens or DEFAULT_MAX_TOKENS):
        yield "reasoning.max_tokens is part of max_tokens, so it must be smaller"
    if form and (form.type == "json_schema") != (form.json_schema is not None):
        yield "response_format requires json_schema if its type is json_schema, and allows it only then"
    names = {tool.function.name for tool in settings.tools or ()}
    if settings.tool_choice and not names:
        yield "tool_choice requires tools"
    if isinstance(settings.tool_choice, ForcedTool) and settings.tool_choice.function.name not in names:
        yield "tool_choice names a function that is not among tools"
    if settings.image_config and settings.modalities and "image" not in settings.modalities:
        yield "image_config requires the modality image"
    if settings.web_search and settings.fallback_models:
        yield "web_search cannot be used together with fallback_models"


SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "top_a",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "stop",
    "verbosity",
    "reasoning",
)
"""Parameters of how a model writes its answer."""

TOOLS_AND_FORMATS = ("response_format", "tools", "tool_choice", "parallel_tool_calls")
"""Parameters of what kind the answer is."""

PASSED_ON = (*SAMPLING, *TOOLS_AND_FORMATS)
"""Settings with the name of an OpenRouter parameter, sent only to models that list it."""


def parameters(settings: ModelSettings) -> dict[str, Any]:
    """The parameters that are set, in the form in which they are sent."""
    return settings.model_dump(include=set(PASSED_ON), exclude_none=True, by_alias=True)


def unsupported(settings: ModelSettings, model: CatalogModel) -> list[str]:
    """The settings that are set and not supported by `model`."""
    names = [name for name in parameters(settings) if not _supports(name, settings, model)]
    if settings.max_tokens is not None and not model.caps_output:
        names.append("max_tokens")
    wants_image = "image" in (settings.modalities or ()) or settings.image_config is not None
    if wants_image and "image" not in model.output_modalities:
        names.append("image_config" if settings.image_config else "modalities")
    if settings.pdf_engine == "native" and "file" not in model.input_modalities:
        names.append("pdf_engine")
    return names


def _supports(name: str, settings: ModelSettings, model: CatalogModel) -> bool:
    """Some models list `structured_outputs` without `response_format`; that is sufficient for a schema."""
    if name == "response_format" and settings.response_format and settings.response_format.type == "json_schema":
        return not {"response_format", "structured_outputs"}.isdisjoint(model.supported_parameters)
    return name in model.supported_parameters
