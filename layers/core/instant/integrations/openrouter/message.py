"""Converts one assistant message into an output: text, JSON, tool calls, images, refusal, citations and reasoning."""

from collections.abc import Iterator, Mapping
from typing import Any

from instant.domain.executions.output import Citation, Output
from instant.integrations.openrouter.decoding import clean_escapes, decode_answer, encode
from instant.integrations.openrouter.images import image_parts, images_in_texts, shown_images
from instant.integrations.openrouter.parsing import count, mapping, sequence, text


def read_output(message: Mapping[str, Any], *, wants_json: bool) -> Output | None:
    """The output for the caller without its images; None if the message has no text, refusal or tool call.

    Tool calls are JSON: `{"text", "tool_calls"}`. If JSON was requested, a JSON answer is JSON, too; an answer that
    cannot be parsed, or not be returned exactly, stays text. Everything beside the content is kept with any type.
    """
    content, calls, refusal = _content(message), _tool_calls(message), _refusal(message)
    if calls:
        return _with_the_rest({"type": "json", "content": {"text": content, "tool_calls": calls}}, message)
    if content is None and refusal is None:
        return None
    output = _json(content) if content and wants_json else None
    return _with_the_rest(output or {"type": "text", "content": content}, message)


def raw_text(message: Mapping[str, Any], output: Output) -> str | None:
    """The text of the message if the output has only the JSON that was read from it."""
    return _content(message) if output["type"] == "json" and not _tool_calls(message) else None


def read_images(message: Mapping[str, Any], *, wants_images: bool) -> tuple[Output, tuple[str, ...]] | None:
    """The output of an answer with images, and the images as received; None if it has none.

    If images were requested, those inside texts count, too.
    """
    output = _with_the_rest({"type": "image", "content": _content(message), "urls": []}, message)
    if calls := _tool_calls(message):
        output["tool_calls"] = calls
    texts = {name: part for name, part in output.items() if name != "reasoning_details"}
    found = [*image_parts(message), *(images_in_texts(texts) if wants_images else ())]
    return (output, tuple(dict.fromkeys(found))) if found else None


def possible_images(output: Output) -> tuple[str, ...]:
    """What may be images in the text of an answer for which no images were requested."""
    content = output["content"]
    return tuple(dict.fromkeys(shown_images(content))) if isinstance(content, str) else ()


def _with_the_rest(output: Output, message: Mapping[str, Any]) -> Output:
    if refusal := _refusal(message):
        output["refusal"] = refusal
    if citations := _citations(message):
        output["citations"] = citations
    if reasoning := _reasoning(message):
        output["reasoning"] = reasoning
    if details := _details(message):
        output["reasoning_details"] = details
    return output


def _content(message: Mapping[str, Any]) -> str | None:
    """The text: a string, the text parts of a list, or the transcript of speech."""
    content = text(message.get("content")) or _joined(message.get("content"), "text")
    return content or text(mapping(message.get("audio")).get("transcript"))


def _refusal(message: Mapping[str, Any]) -> str | None:
    return text(message.get("refusal")) or _joined(message.get("content"), "refusal")


def _joined(parts: object, *names: str) -> str | None:
    """The texts under the first of these names that each part has, joined; a part can be a blank between words."""
    texts = (next(filter(None, map(mapping(part).get, names)), "") for part in sequence(parts))
    return text("".join(each for each in texts if isinstance(each, str)))


def _json(content: str) -> Output | None:
    try:
        return {"type": "json", "content": decode_answer(content)}
    except ValueError:
        return None


def _reasoning(message: Mapping[str, Any]) -> str | None:
    """The reasoning text: OpenRouter's field, other gateways' field, or the texts of its structured forms."""
    return (
        text(message.get("reasoning"))
        or text(message.get("reasoning_content"))
        or _joined(message.get("reasoning_details"), "text", "summary")
        or _joined(message.get("content"), "thinking")
    )


def _details(message: Mapping[str, Any]) -> list[dict[str, object]]:
    """The structured reasoning, which a later turn sends back unchanged; without parts that JSON cannot hold."""
    listed = sequence(message.get("reasoning_details"))
    return [detail for each in listed if isinstance(each, dict) and (detail := _exact(each))]


def _exact(detail: Mapping[str, Any]) -> dict[str, object] | None:
    try:
        found: dict[str, object] = decode_answer(encode(detail))
    except ValueError:
        return None
    return found


def _citations(message: Mapping[str, Any]) -> list[Citation]:
    """The sources of the annotations, and those of a list of URLs that no annotation names."""
    found = [citation for each in sequence(message.get("annotations")) if (citation := _citation(mapping(each)))]
    known = {citation["url"] for citation in found}
    listed = (each if isinstance(each, dict) else {"url": each} for each in sequence(message.get("citations")))
    return found + [source for each in listed if (source := _citation(each)) and source["url"] not in known]


def _citation(annotation: Mapping[str, Any]) -> Citation | None:
    source = mapping(annotation.get("url_citation")) or annotation
    url = text(source.get("url"))
    if url is None:
        return None
    citation: Citation = {"url": url, "title": text(source.get("title"))}
    if content := text(source.get("content")):
        citation["content"] = content
    if (start := count(source.get("start_index"))) is not None:
        citation["start_index"] = start
    if (end := count(source.get("end_index"))) is not None:
        citation["end_index"] = end
    return citation


def _tool_calls(message: Mapping[str, Any]) -> list[dict[str, object]]:
    """The calls in order, without entries that call nothing."""
    listed = [*sequence(message.get("tool_calls")), {"function": message.get("function_call")}]
    return list(_read_calls(mapping(call) for call in listed))


def _read_calls(calls: Iterator[Mapping[str, Any]]) -> Iterator[dict[str, object]]:
    """`arguments` is JSON text: `{}` where a provider sends none, and encoded where it sends JSON itself."""
    for call in calls:
        function = mapping(call.get("function"))
        name, arguments = text(function.get("name")), function.get("arguments")
        if isinstance(arguments, str | None):
            arguments = text(arguments)
        elif arguments is not None:
            arguments = encode(arguments)
        if name or arguments:
            yield {"id": text(call.get("id")), "name": name, "arguments": clean_escapes(arguments or "{}")}
