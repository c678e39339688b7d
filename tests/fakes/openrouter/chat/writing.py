"""The text of the fake models: short answers that depend only on the prompt."""

import re
import zlib
from collections.abc import Sequence

from tests.fakes.openrouter.exact_json import Json, dumps

_ANSWERS = (
    "Here is the short version of “{topic}”: start small, look at one real example, then build on it.",
    "A good way to see “{topic}” is as two questions: what is needed now, and what can wait.",
    "On “{topic}”: the simple answer is usually right, so begin there and check it against the facts.",
)
_LISTS = (
    "Three ideas for “{topic}”:\n1. Begin with what you have.\n2. Ask one person who knows.\n3. Write it down.",
    "For “{topic}” I would try:\n1. The obvious choice.\n2. The opposite of it.\n3. A walk, then a decision.",
)
_POEMS = ("{topic},\na quiet light on the page,\nthe kettle answers.",)
_GREETINGS = ("Hello! It is good to hear from you. What shall we make today?",)

_KINDS = (
    (re.compile(r"\b(haiku|poem|verse)\b", re.IGNORECASE), _POEMS),
    (re.compile(r"\b(list|ideas|names|three|five|steps)\b", re.IGNORECASE), _LISTS),
    (re.compile(r"^\W*(hi|hello|hey|good morning)\b", re.IGNORECASE), _GREETINGS),
    (re.compile(r""), _ANSWERS),
)
_SUMMARY = re.compile(r"\b(summar\w+|tl;?dr)\b", re.IGNORECASE)


def answer(prompt: str) -> str:
    """The answer to a prompt; the same prompt always gets the same answer."""
    if _SUMMARY.search(prompt):
        return f"In short: {_clip(prompt.split(':', 1)[-1], 160)}"
    choices = next(texts for pattern, texts in _KINDS if pattern.search(prompt))
    return choices[zlib.crc32(prompt.encode()) % len(choices)].format(topic=_topic(prompt))


def from_results(results: Sequence[str]) -> str:
    """The answer once the tools have returned their results."""
    return f"As I have looked up: {'; '.join(_clip(result, 200) for result in results)}."


def thoughts(prompt: str) -> str:
    """The reasoning text of a reasoning model."""
    return f"The user wants to know about {_topic(prompt)}. A short, clear answer is best."


def structured(prompt: str, response_format: Json) -> str:
    """A JSON text that matches the schema, or a small object if there is none."""
    schema = (response_format.get("json_schema") or {}).get("schema")
    value = example(schema, answer(prompt)) if schema else {"answer": answer(prompt)}
    return dumps(value)


def example(schema: Json, text: str) -> object:
    """A minimal value that matches a JSON Schema; every string is `text`."""
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        return {name: example(part, text) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {"type": "string"}), text)]
    return {"string": text, "integer": 7, "number": 7, "boolean": True}.get(str(kind))


def _topic(prompt: str) -> str:
    first_line = next((line for line in prompt.splitlines() if line.strip()), "nothing in particular")
    return _clip(first_line, 60).rstrip(" .?!:")


def _clip(text: str, length: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= length else words[:length].rsplit(" ", 1)[0] + "…"
