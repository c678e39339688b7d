"""Records the responses to the example events, with values that differ between runs replaced."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.architecture.project import Json
from tests.integration.app import Answer, App, answer_of
from tests.integration.local.test_example_events import STORY, event_of, function_of, give, learn

_REPLACEMENTS = (
    (re.compile(r"(?:\b|(?<=_))(res|exe|img|key|syn)_[0-9A-HJKMNP-TV-Z]{26}"), rf"\1_{'0' * 26}"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z"), "2026-11-22T20:17:24.000123Z"),
    (re.compile(r'("period": "\d{4}-\d\d)-\d\d"'), r'\1-22"'),
    (re.compile(r'("period": ")\d{4}-\d\d'), r"\g<1>2026-11"),
    (re.compile(r"\bx4k_live_\w+"), "x4k_live_hidden"),
    (re.compile(r"\bgen-[\w-]+"), "gen-1795378644-example"),
    (re.compile(r'("(?:day|until)": ")\d{4}-\d\d-\d\d"'), r'\g<1>2026-11-22"'),
    (re.compile(r'("since": ")\d{4}-\d\d-\d\d"'), r'\g<1>2026-10-24"'),
    (re.compile(r'("latency_ms(?:_average)?": )\d+'), r"\g<1>812"),
    (re.compile(r'("authorize_url": ")[^"]+'), r"\g<1>https://openrouter.ai/auth?code_challenge_method=S256&…"),
    (re.compile(r'("(?:state|code_verifier)": ")[\w-]{43,}'), r"\g<1>hidden"),
    (re.compile(r'("created(?:_at)?": ?)\d+'), r"\g<1>1795378644"),
    (re.compile(r'("last4": ")\w+'), r"\g<1>R2d2"),
    (re.compile(r'"https://[^"]+X-Amz-[^"]+"'), '"https://media.example/picture.png?X-Amz-Signature=example"'),
)
_MAX_LIST = 1


def answers(app: App) -> Iterator[tuple[str, Json, Answer]]:
    """Invoke the example events in order; yield the name, the event and the response of those over HTTP."""
    known: dict[str, str] = {}
    for case, status in STORY.items():
        event = event_of(case, known)
        give(app, case, event)
        reply = app.invoke(function_of(app, case), event)
        if status:
            answer = answer_of(reply)
            learn(answer.text, known)
            yield case, event, answer


def put_answers(document: Json, app: App) -> None:
    """Add the responses to the example events to each operation as examples."""
    for case, event, answer in answers(app):
        content = answer_content(document, event, answer)
        if content is not None and answer.text and case != "catalog/openapi":
            content.setdefault("examples", {})[case.split("/")[1]] = {"value": shown(answer)}


def without_answers(document: Json) -> Json:
    """A copy of the document without the examples of `put_answers`."""
    bare: Json = json.loads(json.dumps(document))
    for operations in bare["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    content.pop("examples", None)
    return bare


def answer_content(document: Json, event: Json, answer: Answer) -> Json:
    """The part of the document for the content of this response; None if it is not described, or has no content."""
    operation = document["paths"][event["resource"]][event["httpMethod"].lower()]
    media_type = answer.headers.get("Content-Type", "")
    return operation["responses"][str(answer.status)].get("content", {}).get(media_type)


def shown(answer: Answer) -> Any:
    """The response as an example: the same in every run, with short lists."""
    is_json = answer.headers["Content-Type"] == "application/json"
    text = json.dumps(answer.json) if is_json else answer.text
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    if not is_json:
        return text
    value = json.loads(text)
    if isinstance(value.get("data"), list):
        value["data"] = value["data"][:_MAX_LIST]
    return value
