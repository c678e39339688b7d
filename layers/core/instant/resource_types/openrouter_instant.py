"""`openrouter_instant`: one prompt to one model with the owner's settings."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from instant.domain.catalog.model import CatalogModel
from instant.domain.executions.plan import Plan
from instant.domain.limits import MAX_IMAGES, MAX_TEXT_BYTES
from instant.domain.media import read_media
from instant.domain.validation import parse
from instant.resource_types.chat import ChatType
from instant.resource_types.chat_plan import check_settings, plan_chat
from instant.resource_types.chat_usage import Content
from instant.resource_types.model_settings import FITTING, ModelSettings, Strict
from instant.resource_types.resource_type import Call


class Prompt(Strict):
    """The inputs: a prompt, and images for the model."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_BYTES, pattern=r"\S"), FITTING] = Field(
        description="The prompt for the model."
    )
    images: list[str] | None = Field(
        None, max_length=MAX_IMAGES, description="https links or base64 data URLs, for models with image input."
    )


class OpenRouterInstant(ChatType):
    """A model on OpenRouter with its settings; callers send a prompt."""

    name = "openrouter_instant"
    description = "One prompt to one OpenRouter model."
    Config = ModelSettings

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The same for every resource of this type."""
        return Prompt.model_json_schema()

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Reject settings that a model would silently ignore."""
        check_settings(ModelSettings.model_validate(config), models)

    def plan(self, call: Call) -> Plan:
        """The prompt and its images as the user's message."""
        inputs = parse(Prompt, call.inputs, "inputs")
        images = [read_media("image", url, f"inputs.images.{n}") for n, url in enumerate(inputs.images or ())]
        return plan_chat(ModelSettings.model_validate(call.config), Content(inputs.prompt, images), call)
