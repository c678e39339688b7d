"""Ordinary text models, cheap ones first."""

from tests.fakes.openrouter.catalog.build import COMMON, SAMPLING, STRUCTURE, THOUGHT, TOOLS, Json, model

_VISION = "text image"
_NO_TEMPERATURE = ("max_tokens", "max_completion_tokens", "seed", *TOOLS, *STRUCTURE, *THOUGHT)
_EFFORTS = ["high", "medium", "low", "minimal"]


def rows() -> list[Json]:
    """New rows of all ordinary text models."""
    return [*_small(), *_known(), *_thinking()]


def _small() -> list[Json]:
    """Invented models with low prices."""
    return [
        model("meadow/lark-mini", "Meadow: Lark Mini", "A quick, cheerful model for short answers and everyday chat.",
              "0.04/0.16", context=65_536, cap=8_192),
        model("meadow/lark", "Meadow: Lark", "Lark's larger sister: steady prose, tidy lists, careful summaries.",
              "0.18/0.72", cap=16_384, knowledge_cutoff="2026-01-31"),
        model("northwind/breeze-8b", "Northwind: Breeze 8B", "Eight billion open weights, made for extraction.",
              "0.03/0.05", context=32_768, cap=None, hugging_face_id="northwind/breeze-8b", tokenizer="Llama3"),
        model("northwind/gale-70b", "Northwind: Gale 70B", "A broad open model that writes well in a dozen languages.",
              "0.11/0.34", cap=131_072, hugging_face_id="northwind/gale-70b", tokenizer="Llama3"),
        model("harbor/tide-code", "Harbor: Tide Code", "Reads a repository, proposes the smallest change that works.",
              "0.2/0.9", context=262_144, cap=65_536),
        model("harbor/tide-flash-1.5", "Harbor: Tide Flash 1.5", "Answers before you have let go of the key.",
              "0.05/0.2", cap=8_192, default_parameters={"temperature": 0.7, "top_p": None, "frequency_penalty": None}),
        model("juniper/quill-7b", "Juniper: Quill 7B", "A small storyteller with a taste for plain words.",
              "0.02/0.03", context=8_192, cap=2_048, accepts=("max_tokens", *SAMPLING), tokenizer="Mistral"),
        model("juniper/atlas-2.1", "Juniper: Atlas 2.1", "Translates and localizes; keeps names, numbers and tone.",
              "0.15/0.45", sees=_VISION, default_parameters=None),
    ]  # fmt: skip


def _known() -> list[Json]:
    """Real models with invented descriptions and prices."""
    return [
        model("openai/gpt-4o-mini", "OpenAI: GPT-4o-mini", "A small all-rounder that also looks at pictures.",
              "0.15/0.6", context=128_000, sees="text image file", tokenizer="GPT"),
        model("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", "Fast, polite, good with instructions.",
              "1/5", context=200_000, cap=64_000, sees=_VISION, tokenizer="Claude",
              accepts=(*COMMON, *THOUGHT, "top_k"), canonical_slug="anthropic/claude-4.5-haiku-20251001",
              prices={"web_search": "0.01", "input_cache_read": "0.0000001", "input_cache_write": "0.00000125"},
              reasoning={"mandatory": False, "default_enabled": False, "supports_max_tokens": True}),
        model("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", "For long documents and long afternoons.",
              "3/15", context=1_000_000, cap=64_000, sees="text image file", tokenizer="Claude",
              accepts=(*COMMON, *THOUGHT), prices={"web_search": "0.01", "overrides": [
                  {"min_prompt_tokens": 200_000, "prompt": "0.000006", "completion": "0.0000225"}]}),
        model("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", "Takes nearly anything in and answers in text.",
              "0.3/2.5", context=1_048_576, cap=65_535, sees="text image file audio video", tokenizer="Gemini",
              prices={"audio": "0.000001", "input_cache_read": "0.00000003", "image": "0.0000003"}),
        model("google/gemma-3-12b-it", "Google: Gemma 3 12B", "A light open model with eyes.",
              "0.03/0.1", sees=_VISION, tokenizer="Gemini", hugging_face_id="google/gemma-3-12b-it"),
        model("meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct", "The workhorse among open models.",
              "0.1/0.32", tokenizer="Llama3", hugging_face_id="meta-llama/Llama-3.3-70B-Instruct"),
        model("mistralai/mistral-small-3.2-24b-instruct", "Mistral: Mistral Small 3.2 24B", "Compact and multilingual.",
              "0.075/0.2", sees=_VISION, tokenizer="Mistral"),
        model("qwen/qwen3-30b-a3b-instruct-2507", "Qwen: Qwen3 30B A3B Instruct 2507",
              "A sparse model: much knowledge, little effort.",
              "0.08/0.33", context=262_144, cap=262_144, tokenizer="Qwen3"),
        model("microsoft/phi-4", "Microsoft: Phi 4", "Small, well read, fond of mathematics.",
              "0.06/0.14", context=16_384, cap=None, hugging_face_id="microsoft/phi-4",
              accepts=("max_tokens", *SAMPLING, *STRUCTURE)),
    ]  # fmt: skip


def _thinking() -> list[Json]:
    """Reasoning models; some do not support a temperature."""
    return [
        model("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", "Thinks first, briefly; has no temperature to turn.",
              "0.25/2", context=400_000, cap=128_000, sees="text image file", tokenizer="GPT", accepts=_NO_TEMPERATURE,
              prices={"web_search": "0.01", "input_cache_read": "0.000000025"},
              reasoning={"mandatory": True, "default_enabled": True, "default_effort": "medium",
                         "supported_efforts": _EFFORTS}),
        model("openai/gpt-5-nano", "OpenAI: GPT-5 Nano", "The smallest thinker, for labels and yes or no.",
              "0.05/0.4", context=400_000, cap=128_000, tokenizer="GPT", accepts=_NO_TEMPERATURE,
              reasoning={"mandatory": True, "supported_efforts": None}),
        model("harbor/lighthouse-pro", "Harbor: Lighthouse Pro", "Slow and thorough; shows its work.",
              "12/60", context=256_000, cap=100_000, accepts=("max_tokens", *TOOLS, *THOUGHT),
              prices={"internal_reasoning": "0.00006"},
              reasoning={"mandatory": False, "default_enabled": True, "default_effort": "high",
                         "supported_efforts": ["xhigh", "high", "medium", "low"]}),
        model("deepseek/deepseek-v3.1-terminus", "DeepSeek: DeepSeek V3.1 Terminus",
              "Switches between thinking and talking on request.",
              "0.21/0.79", context=163_840, tokenizer="DeepSeek", accepts=(*COMMON, *THOUGHT),
              default_parameters=dict.fromkeys(("temperature", "top_p", "top_k", "frequency_penalty",
                                                "presence_penalty", "repetition_penalty"))),
    ]  # fmt: skip
