"""Builds one chat request from the owner's settings and the caller's content, with its maximum cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from instant.domain.catalog.model import CatalogModel
from instant.domain.catalog.pricing import (
    HIDDEN_PROMPT_TOKENS,
    MaxUsage,
    price_limits,
    worst_case,
)
from instant.domain.errors import InvalidField, ModelUnavailable
from instant.domain.executions.plan import Plan
from instant.integrations.openrouter.chat import MAX_IMAGE_ANSWER_BYTES, MAX_TEXT_ANSWER_BYTES, chat_request
from instant.resource_types.chat_usage import (
    RESULT_CHARACTERS,
    max_usage_of,
    search_by_themselves,
)
from instant.resource_types.function_names import check_names
from instant.resource_types.media_usage import media_usage
from instant.resource_types.messages.content import Content
from instant.resource_types.model_settings import (
    DEFAULT_MAX_TOKENS,
    MAX_USES,
    PASSED_ON,
    ModelSettings,
    WebSearch,
    parameters,
    unsupported,
)
from instant.resource_types.overrides import with_overrides
from instant.resource_types.resource_type import Call

BYTES_PER_TOKEN = 3
"""Estimated bytes of text per token: ordinary English has 4, dense text fewer."""

MIN_ROOM = 256
"""Minimum limit of an answer in tokens, for prompts that are estimated to fill the context."""

SECONDS_TO_KEEP_IMAGES = 10.0
"""Seconds reserved for decoding and storing the largest images."""


def check_settings(settings: ModelSettings, models: Sequence[CatalogModel]) -> None:
    """Reject settings that any of the models would reject, ignore or exceed, and searches without a limit."""
    check_names(settings)
    for model in models:
        if problem := unlimited_searches(settings, model):
            raise InvalidField.named("config.web_search", f"{model.openrouter_id} {problem}")
        if settings.web_search and settings.web_search.max_uses > MAX_USES and model.own_searches is not None:
            problem = f"can be at most {MAX_USES} with {model.openrouter_id}"
            raise InvalidField.named("config.web_search.max_uses", problem)
        for name in unsupported(settings, model):
            raise InvalidField.named(f"config.{name}", f"{model.openrouter_id} does not support it; leave it out.")
        if settings.max_tokens and settings.max_tokens > model.longest_answer:
            problem = f"{model.openrouter_id} answers with at most {model.longest_answer} tokens."
            raise InvalidField.named("config.max_tokens", problem)


def unlimited_searches(settings: ModelSettings, model: CatalogModel) -> str | None:
    """Why the cost of the model's own searches has no maximum, as text to append to its id; None if it has one."""
    if model.own_searches is not None or settings.web_search:
        return None
    return "makes any number of searches; state in web_search.max_uses how many may be paid for."


def plan_chat(settings: ModelSettings, content: Content, call: Call) -> Plan:
    """The owner's system prompt, if set, then the messages of the content; `call.models` has the available models."""
    settings, ignored = with_overrides(settings, call)
    _refuse_unreadable(content, call.models)
    _refuse_unlimited(settings, call.models)
    length = min(_length(settings, content, model) for model in call.models)
    modalities = _modalities(settings, call.models[0])
    engine = _pdf_engine(settings, content, call.models)
    media = media_usage(content.media, engine)
    max_usage = max_usage_of(settings, content, call.models, length, media=media, makes_images="image" in modalities)
    _refuse_unmeasured(content, max_usage, call.models)
    worst = worst_case(call.models, max_usage)
    cap = min(worst, call.cap_nanousd) if call.at_catalog_prices else call.cap_nanousd
    body = {
        "model": call.models[0].openrouter_id,
        "messages": _messages(settings, content),
        "stream": call.stream,
        "max_completion_tokens": length,
        "user": call.user,
        **_supported(settings, call.models),
        **_fallbacks(call.models),
        **_image_config(settings, modalities),
        **_pdf_plugin(engine),
        "provider": _provider(settings) | {"max_price": price_limits(call.models, max_usage, cap_nanousd=cap)},
    }
    if settings.web_search and not search_by_themselves(call.models):
        body |= _web_search(settings.web_search, body.get("tools", []))
    most = MAX_IMAGE_ANSWER_BYTES if modalities else MAX_TEXT_ANSWER_BYTES
    return Plan(
        request=chat_request(body, max_reply_bytes=most),
        worst_nanousd=worst,
        seconds_to_keep=SECONDS_TO_KEEP_IMAGES if modalities else 0.0,
        options={
            "wants_json": bool(body.get("response_format")) and body["response_format"]["type"] != "text",
            "wants_images": bool(modalities),
        },
        preview=_preview(body),
        ocr_pages=media.known_pages,
        ignored=ignored,
    )


def _preview(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without the fields that depend on whose key is used: the user, and the price limits."""
    provider = {name: value for name, value in body["provider"].items() if name != "max_price"}
    shown = {name: value for name, value in body.items() if name not in {"user", "provider"}}
    return {**shown, "provider": provider} if provider else shown


def _length(settings: ModelSettings, content: Content, model: CatalogModel) -> int:
    """The limit of the answer: the minimum of the setting, the model's maximum, and the estimated free context.

    The service rejects a limit that exceeds the free context, even if the answer would be short.
    """
    prompt = len((settings.system_prompt or "").encode()) + content.text_bytes
    room = (model.context_length or 2**31) - prompt // BYTES_PER_TOKEN - HIDDEN_PROMPT_TOKENS
    return min(settings.max_tokens or DEFAULT_MAX_TOKENS, model.longest_answer, max(room, MIN_ROOM))


def _refuse_unreadable(content: Content, models: Sequence[CatalogModel]) -> None:
    """Reject images and audio that a model cannot take; OpenRouter reads files for every model."""
    for media in content.media:
        for model in models:
            if media.kind != "file" and media.kind not in model.input_modalities:
                problem = f"{model.openrouter_id} cannot take {media.kind} inputs; leave them out"
                raise InvalidField.named("inputs", problem)


def _refuse_unlimited(settings: ModelSettings, models: Sequence[CatalogModel]) -> None:
    """Reject a model whose own searches have no limit: settings saved earlier, or a model that has changed since."""
    for model in models:
        if problem := unlimited_searches(settings, model):
            raise ModelUnavailable(f"The resource's model {model.openrouter_id} {problem} Its owner must do so.")


def _refuse_unmeasured(content: Content, max_usage: MaxUsage, models: Sequence[CatalogModel]) -> None:
    """Reject a prompt of unknown length for a model without a context length: the call would have no maximum cost."""
    for model in models:
        if max_usage.reads_whole_context and model.context_length is None:
            if content.media:
                problem = (
                    f"have media of unknown length, and {model.openrouter_id} states no context length; leave it out"
                )
                raise InvalidField.named("inputs", problem)
            raise ModelUnavailable(f"The resource's model {model.openrouter_id} states no limit of what it reads.")


def _messages(settings: ModelSettings, content: Content) -> list[Mapping[str, Any]]:
    system = [{"role": "system", "content": settings.system_prompt}] if settings.system_prompt else []
    return [*system, *content.messages]


def _supported(settings: ModelSettings, models: Sequence[CatalogModel]) -> dict[str, Any]:
    """Parameters that all models support: a model may have lost one since the resource was saved."""
    dropped = {name for model in models for name in unsupported(settings, model)}
    return {name: value for name, value in parameters(settings).items() if name in PASSED_ON and name not in dropped}


def _fallbacks(models: Sequence[CatalogModel]) -> dict[str, Any]:
    return {"models": [model.openrouter_id for model in models]} if len(models) > 1 else {}


def _image_config(settings: ModelSettings, modalities: Sequence[str]) -> dict[str, Any]:
    if not modalities:
        return {}
    form = settings.image_config.model_dump(exclude_none=True) if settings.image_config else None
    return {"modalities": modalities, **({"image_config": form} if form else {})}


def _pdf_engine(settings: ModelSettings, content: Content, models: Sequence[CatalogModel]) -> str | None:
    """The engine that reads the files, if there are any; OpenRouter's default is one with a price per page."""
    if not any(media.kind == "file" for media in content.media):
        return None
    reads = all("file" in model.input_modalities for model in models)
    return settings.pdf_engine or ("native" if reads else "cloudflare-ai")


def _pdf_plugin(engine: str | None) -> dict[str, Any]:
    return {"plugins": [{"id": "file-parser", "pdf": {"engine": engine}}]} if engine else {}


def _modalities(settings: ModelSettings, model: CatalogModel) -> list[str]:
    """Image models return images only on request; for text models the field is omitted."""
    able: list[str] = [kind for kind in ("image", "text") if kind in model.output_modalities]
    wanted = [kind for kind in able if not settings.modalities or kind in settings.modalities]
    return wanted if "image" in wanted else []


def _web_search(search: WebSearch, tools: Sequence[Any]) -> dict[str, Any]:
    """Use an engine whose searches and results can be limited, so that a call has a maximum price."""
    limits = {"max_uses": search.max_uses, "max_results": search.max_results}
    tool = {
        "type": "openrouter:web_search",
        "parameters": {"engine": "exa", "max_characters": RESULT_CHARACTERS, **limits},
    }
    stop = [{"type": "step_count_is", "step_count": search.max_uses}]
    return {"tools": [*tools, tool], "stop_server_tools_when": stop}


def _provider(settings: ModelSettings) -> dict[str, Any]:
    return settings.provider.model_dump(exclude_none=True) if settings.provider else {}
