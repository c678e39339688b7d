"""`openrouter_instant`: one prompt to one model with the owner's settings."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from instant.domain.catalog import CatalogModel
from instant.domain.limits import MAX_IMAGES, MAX_TEXT_BYTES
from instant.domain.media import read_media
from instant.domain.output import Answer
from instant.domain.validation import parse
from instant.integrations.openrouter.chat import read_chat
from instant.resource_types.chat_plan import Content, check_settings, plan_chat
from instant.resource_types.model_settings import FITTING, ModelSettings, Strict, model_ids
from instant.resource_types.resource_type import Call, Plan, Send


class Prompt(Strict):
    """The inputs: what the caller asks, and what the model should look at."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_BYTES, pattern=r"\S"), FITTING] = Field(
        description="What to ask the model."
    )
    images: list[str] | None = Field(
        None, max_length=MAX_IMAGES, description="https links or base64 data URLs, for models that see."
    )


class OpenRouterInstant:
    """A model on OpenRouter with its settings; callers send a prompt."""

    name = "openrouter_instant"
    description = "One prompt to one OpenRouter model."
    integration = "openrouter"
    Config: type[BaseModel] = ModelSettings

    def model_ids(self, config: Mapping[str, Any]) -> list[str]:
        """The configured model and its fallbacks."""
        return model_ids(config)

    def inputs_schema(self, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The same for every resource of this type."""
        return Prompt.model_json_schema()

    def check(self, config: Mapping[str, Any], models: Sequence[CatalogModel]) -> None:
        """Refuse what a model would silently drop."""
        check_settings(ModelSettings.model_validate(config), models)

    def plan(self, call: Call) -> Plan:
        """The prompt and its images as the user's message."""
        inputs = parse(Prompt, call.inputs, "inputs")
        images = [read_media("image", url, f"inputs.images.{n}") for n, url in enumerate(inputs.images or ())]
        return plan_chat(ModelSettings.model_validate(call.config), Content(inputs.prompt, images), call)

    def run(self, plan: Plan, send: Send) -> Answer:
        """One exchange."""
        return read_chat(send(plan.request), wants_json=plan.wants_json)
