"""`openrouter_instant`: one prompt to one model with the owner's settings."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from instant.domain.catalog import CatalogModel
from instant.domain.errors import InvalidField
from instant.domain.output import Answer
from instant.domain.pricing import price_limits, worst_case
from instant.domain.validation import parse
from instant.integrations.openrouter.chat import chat_request, read_chat
from instant.resource_types.resource_type import Call, Plan, Send

DEFAULT_MAX_TOKENS = 4_096
"""Longest answer, in tokens, where the owner sets none."""

MAX_TEXT = 200_000
"""Longest prompt and system prompt, in characters."""

_FRAME_BYTES = 32
"""What the JSON around one message adds to its text, at most, in tokens."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, protected_namespaces=())


class ModelSettings(_Strict):
    """The model and how it answers; everything but `model` and `system_prompt` only where the model supports it."""

    model: Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,100}/[^/\s]{1,200}$")] = Field(
        description="An id of GET /api/models, such as author/name."
    )
    system_prompt: Annotated[str, StringConstraints(max_length=MAX_TEXT)] | None = Field(
        None, description="What the model is told before every prompt. Callers never see or change it."
    )
    max_tokens: int | None = Field(
        None, ge=1, le=1_000_000, description=f"Longest answer in tokens; {DEFAULT_MAX_TOKENS} unless set."
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
    stop: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] | None = Field(
        None, min_length=1, max_length=4
    )

    def parameters(self) -> dict[str, Any]:
        """The sampling parameters that are set, by their wire names."""
        return self.model_dump(exclude={"model", "system_prompt", "max_tokens"}, exclude_none=True)


class Prompt(_Strict):
    """The inputs: what the caller asks."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=r"\S")] = Field(
        description="What to ask the model."
    )


class OpenRouterInstant:
    """A model on OpenRouter with its settings; callers send a prompt."""

    name = "openrouter_instant"
    description = "One prompt to one OpenRouter model."
    integration = "openrouter"
    Config: type[BaseModel] = ModelSettings
    Inputs: type[BaseModel] = Prompt

    def model_id(self, config: Mapping[str, Any]) -> str:
        """The configured model."""
        return str(config["model"])

    def check(self, config: Mapping[str, Any], model: CatalogModel) -> None:
        """Refuse parameters that the model would silently drop, and a length that it cannot reach."""
        settings = ModelSettings.model_validate(config)
        for name in _unsupported(settings, model):
            raise InvalidField.named(f"config.{name}", f"{model.openrouter_id} does not support it; leave it out.")
        if settings.max_tokens and settings.max_tokens > _longest_answer(model):
            raise InvalidField.named(
                "config.max_tokens",
                f"{model.openrouter_id} answers with at most {_longest_answer(model)} tokens.",
            )

    def plan(self, call: Call) -> Plan:
        """One system message, if any, and the prompt as the user's; the worst case is priced by the catalog."""
        settings, prompt = (
            ModelSettings.model_validate(call.config),
            parse(Prompt, call.inputs, "inputs").prompt,
        )
        messages = [{"role": "system", "content": settings.system_prompt}] if settings.system_prompt else []
        messages.append({"role": "user", "content": prompt})
        length = min(settings.max_tokens or DEFAULT_MAX_TOKENS, _longest_answer(call.model))
        worst = worst_case(
            call.model,
            prompt_bytes=sum(len(message["content"].encode()) + _FRAME_BYTES for message in messages),
            completion_tokens=length if call.model.caps_output else _longest_answer(call.model),
        )
        dropped = set(_unsupported(settings, call.model))
        request = chat_request(
            model=settings.model,
            messages=messages,
            max_completion_tokens=length,
            parameters={name: value for name, value in settings.parameters().items() if name not in dropped},
            price_limits=price_limits(call.model, worst_nanousd=worst, cap_nanousd=call.cap_nanousd),
            user=call.user,
        )
        return Plan(request=request, worst_nanousd=worst)

    def run(self, plan: Plan, send: Send) -> Answer:
        """One exchange."""
        return read_chat(send(plan.request))


def _unsupported(settings: ModelSettings, model: CatalogModel) -> list[str]:
    """Settings that the model ignores; it may have lost them since the resource was saved."""
    names = [name for name in settings.parameters() if name not in model.supported_parameters]
    return names if model.caps_output or settings.max_tokens is None else [*names, "max_tokens"]


def _longest_answer(model: CatalogModel) -> int:
    return min(model.max_tokens or 2**31, model.context_length or 2**31)
