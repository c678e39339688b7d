"""Common behaviour of the chat resource types: their models, their single exchange, and their badges."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, override

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import unreckoned
from instant.domain.catalog.query import is_free
from instant.domain.executions.plan import Plan
from instant.domain.money import parse_usd
from instant.domain.resources.resource import Badge
from instant.integrations.openrouter.chat import read_chat
from instant.integrations.openrouter.streams.chat_stream import ChatStream
from instant.resource_types.resource_type import Flow, ResourceType

_SETTING_BADGES: dict[str, Badge] = {
    "fallback_models": "has_fallbacks",
    "overridable": "customizable",
    "response_format": "structured_output",
    "tools": "calls_tools",
    "web_search": "searches_web",
}
"""The badge of each setting."""


class ChatType(ResourceType):
    """A model on OpenRouter with its settings, called through chat completions."""

    integration = "openrouter"

    @override
    def models(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The configured model and its fallbacks, in order, each once."""
        return list(dict.fromkeys([config["model"], *config.get("fallback_models", ())]))

    @override
    def model_field(self, config: Mapping[str, Any], model_id: str) -> str:
        fallbacks: Sequence[str] = config.get("fallback_models") or ()
        if model_id == config.get("model") or model_id not in fallbacks:
            return "model"
        return f"fallback_models.{fallbacks.index(model_id)}"

    @override
    def supports(self, model: CatalogModel) -> str | None:
        if model.openrouter_id.endswith(":batch"):
            return "is only served in batches; choose the model without ':batch'"
        prices = [parse_usd(model.pricing.get(key)) for key in ("prompt", "completion")]
        if any(price is None or price < 0 for price in prices):
            return "is a router without a price of its own; choose a model with a price"
        if prices == [0, 0] and "audio" in model.output_modalities:
            return "has no price for its audio; choose a model with a price"
        if unknown := unreckoned(model):
            return f"has a price that costs cannot be computed from ({', '.join(unknown)[:200]}); choose another model"
        if {"text", "image"}.isdisjoint(model.output_modalities):
            return "outputs neither text nor images"
        return None

    @override
    def flow(self, plan: Plan) -> Flow:
        """One exchange."""
        reply = yield plan.request
        return read_chat(reply, **plan.options)

    @override
    def stream_reader(self, plan: Plan) -> ChatStream:
        return ChatStream(plan.request.max_reply_bytes)

    @override
    def badges(self, config: Mapping[str, Any], model: CatalogModel | None) -> Iterator[Badge]:
        yield from (badge for name, badge in _SETTING_BADGES.items() if config.get(name))
        if model is None:
            return
        if model.vision_supported and _has_images(self.inputs_schema(config)):
            yield "takes_images"
        if "image" in model.output_modalities and "image" in config.get("modalities", ["image"]):
            yield "makes_images"
        if is_free(model) and not config.get("web_search"):
            yield "free"


def _has_images(schema: Mapping[str, Any]) -> bool:
    """Whether an input is an image or a list of images."""
    inputs: Mapping[str, Any] = schema.get("properties", {})
    return "images" in inputs or any(
        isinstance(part, Mapping) and part.get("format") == "image" for part in inputs.values()
    )
