"""`openrouter_embeddings`: texts to vectors, with one embeddings model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, override

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import MaxUsage, price, price_limits, unreckoned, worst_case
from instant.domain.catalog.query import is_free
from instant.domain.errors import InvalidField
from instant.domain.executions.plan import Plan
from instant.domain.limits import MAX_EMBEDDED_BYTES, MAX_EMBEDDED_FLOATS, MAX_EMBEDDED_TEXTS
from instant.domain.resources.resource import Badge
from instant.domain.validation import parse
from instant.integrations.openrouter.embeddings import embeddings_request, read_embeddings
from instant.resource_types.model_settings import ModelId, ProviderPreferences, Strict
from instant.resource_types.overrides import check_allowed
from instant.resource_types.resource_type import Call, Flow, ResourceType

TOKENS_PER_TEXT = 32
"""Maximum tokens that a model adds to one text: marks of its start and end, and an instruction for its input type."""

SECONDS_TO_KEEP = 5.0
"""Seconds reserved for encoding and storing the largest embeddings."""

OVERRIDABLE = ("dimensions", "input_type")
"""Settings that an owner can let callers override."""

_TEXT_SCHEMA = {"type": "string", "minLength": 1}


def _listed(value: object) -> object:
    """A list of texts, also for a single one; tokens would have to be of this model, and are not supported."""
    if not isinstance(value, str | list) or any(isinstance(part, int | float | list) for part in value):
        raise ValueError("must be a text or a list of texts; tokens are not supported")
    return [value] if isinstance(value, str) else value


def _fit(texts: list[str]) -> list[str]:
    if (size := sum(len(text.encode()) for text in texts)) > MAX_EMBEDDED_BYTES:
        raise ValueError(f"takes {size} bytes in UTF-8; {MAX_EMBEDDED_BYTES} are allowed in one call")
    return texts


class Texts(Strict):
    """The inputs: texts, and the encoding of their vectors."""

    input: Annotated[
        list[Annotated[str, StringConstraints(min_length=1)]],
        Field(min_length=1, max_length=MAX_EMBEDDED_TEXTS, description="A text, or a list of texts, to embed."),
        BeforeValidator(_listed),
        AfterValidator(_fit),
        WithJsonSchema(
            {
                "anyOf": [
                    _TEXT_SCHEMA,
                    {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1, "maxItems": MAX_EMBEDDED_TEXTS},
                ]
            }
        ),
    ]
    encoding_format: Literal["float", "base64"] = Field(
        "float",
        description="float: vectors as lists of numbers; base64: as base64 of 32-bit floats in little-endian order. "
        f"More than {MAX_EMBEDDED_FLOATS} texts require base64.",
    )


class EmbeddingSettings(Strict):
    """The model and its settings."""

    model: ModelId = Field(description="An id from GET /api/models with embeddings as output, such as author/name.")
    dimensions: int | None = Field(
        None, ge=1, le=100_000, description="Length of the vectors, for models that support several."
    )
    input_type: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")] | None = Field(
        None, description="What the texts are, for models that distinguish it, such as search_query."
    )
    provider: ProviderPreferences | None = None
    overridable: list[Literal["dimensions", "input_type"]] | None = Field(
        None, description="Settings that a caller can override."
    )


class OpenRouterEmbeddings(ResourceType):
    """An embeddings model on OpenRouter; callers send texts."""

    name = "openrouter_embeddings"
    description = "Texts to vectors with one OpenRouter model."
    integration = "openrouter"
    Config = EmbeddingSettings

    @override
    def models(self, config: Mapping[str, Any]) -> Sequence[str]:
        return [config["model"]]

    @override
    def supports(self, model: CatalogModel) -> str | None:
        if "embeddings" not in model.output_modalities:
            return "makes no embeddings"
        if model.input_modalities and "text" not in model.input_modalities:
            return "cannot embed text"
        if model.openrouter_id.endswith(":batch"):
            return "is only served in batches; choose the model without ':batch'"
        if price(model.pricing.get("prompt")) is None:
            return "has no price of its own; choose a model with a price"
        if unknown := unreckoned(model):
            return f"has a price that costs cannot be computed from ({', '.join(unknown)[:200]}); choose another model"
        return None

    @override
    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return Texts.model_json_schema()

    @override
    def plan(self, call: Call) -> Plan:
        settings = _overridden(call)
        inputs, model = parse(Texts, call.inputs, "inputs"), call.models[0]
        as_base64, texts = inputs.encoding_format == "base64", inputs.input
        if len(texts) > MAX_EMBEDDED_FLOATS and not as_base64:
            problem = f"has more than {MAX_EMBEDDED_FLOATS} texts, which require encoding_format base64"
            raise InvalidField.named("inputs.input", problem)
        max_usage = MaxUsage(prompt_tokens=_most_tokens(texts), completion_tokens=0, embeds=True)
        worst = worst_case([model], max_usage)
        cap = min(worst, call.cap_nanousd) if call.at_catalog_prices else call.cap_nanousd
        asked = settings.model_dump(include={"dimensions", "input_type", "provider"}, exclude_none=True)
        shown = {"model": model.openrouter_id, "input": texts, **asked}
        provider = {**asked.get("provider", {}), "max_price": price_limits([model], max_usage, cap_nanousd=cap)}
        return Plan(
            request=embeddings_request({**shown, "user": call.user, "provider": provider}),
            worst_nanousd=worst,
            seconds_to_keep=SECONDS_TO_KEEP if len(texts) > 1 else 0.0,
            options={
                "texts": len(texts),
                "names": [model.openrouter_id, model.canonical_slug],
                "dimensions": settings.dimensions,
                "as_base64": as_base64,
            },
            preview=shown,
        )

    @override
    def flow(self, plan: Plan) -> Flow:
        reply = yield plan.request
        return read_embeddings(reply, **plan.options)

    @override
    def badges(self, config: Mapping[str, Any], model: CatalogModel | None) -> Iterator[Badge]:
        if config.get("overridable"):
            yield "customizable"
        if model and is_free(model):
            yield "free"


def _most_tokens(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) + TOKENS_PER_TEXT for text in texts)


def _overridden(call: Call) -> EmbeddingSettings:
    """The settings with the caller's overrides; clients of OpenAI can set what the owner has neither set nor closed."""
    settings = EmbeddingSettings.model_validate(call.config)
    allowed: Sequence[str] = settings.overridable or ()
    if call.compatible and settings.overridable is None:
        allowed = [name for name in OVERRIDABLE if getattr(settings, name) is None]
    check_allowed(call.overrides, allowed, compatible=call.compatible)
    given = {name: value for name, value in call.overrides.items() if value is not None}
    return parse(EmbeddingSettings, {**settings.model_dump(exclude_none=True), **given}, "overrides")
