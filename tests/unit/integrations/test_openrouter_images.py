"""Images in an answer: each place and spelling in which models return them."""

import json
from typing import Any

import pytest

from instant.domain.exchange import Reply
from instant.domain.executions.output import Answer
from instant.integrations.openrouter.chat import read_chat

BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="
URL = f"data:image/png;base64,{BASE64}"


def read(message: dict[str, Any], *, wants_images: bool = True) -> Answer:
    """Return the answer that is parsed from this message."""
    body = json.dumps({"choices": [{"message": message}]}).encode()
    return read_chat(Reply(status=200, body=body), wants_images=wants_images)


SPELLINGS: dict[str, tuple[object, str]] = {
    "url": ({"type": "image_url", "image_url": {"url": URL}}, URL),
    "url as text": ({"type": "image_url", "image_url": URL}, URL),
    "camel case": ({"type": "image_url", "imageUrl": {"url": URL}}, URL),
    "responses": ({"type": "output_image", "image": URL}, URL),
    "plain url": ({"url": URL}, URL),
    "b64_json": ({"b64_json": BASE64, "media_type": "image/png"}, BASE64),
    "anthropic": ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": BASE64}}, BASE64),
    "gemini": ({"inlineData": {"mimeType": "image/png", "data": BASE64}}, BASE64),
    "gemini in snake case": ({"inline_data": {"mime_type": "image/png", "data": BASE64}}, BASE64),
    "generation call": ({"type": "image_generation_call", "result": BASE64}, BASE64),
    "link": ({"image_url": {"url": "https://pictures.example/1.png"}}, "https://pictures.example/1.png"),
}


@pytest.mark.parametrize("wants_images", [True, False])
@pytest.mark.parametrize("name", SPELLINGS)
def test_images_are_found_in_every_spelling_of_a_part(name: str, wants_images: bool) -> None:
    part, image = SPELLINGS[name]
    text = {"type": "text", "text": "Here."}
    for message in (
        {"content": "Here.", "images": [part]},
        {"content": [text, part]},
        {"content": [text], "image": part},
    ):
        answer = read(message, wants_images=wants_images)
        assert answer.output == {"type": "image", "content": "Here.", "urls": []}
        assert answer.images == (image,)


@pytest.mark.parametrize("image", [URL, BASE64])
def test_images_can_be_plain_texts(image: str) -> None:
    for images in ([image], image):
        assert read({"content": None, "images": images}).images == (image,)


@pytest.mark.parametrize(
    "part", ["junk", 7, {"data": "junk"}, {"image_url": 7}, {"type": "text", "text": "https://a.example"}]
)
def test_images_ignore_parts_without_an_image(part: object) -> None:
    answer = read({"content": "Here.", "images": [part]})
    assert (answer.output, answer.images) == ({"type": "text", "content": "Here."}, ())


def test_images_ignore_deeply_nested_parts() -> None:
    part: dict[str, Any] = {"url": URL}
    for _ in range(900):
        part = {"image_url": part}
    assert read({"content": "Here.", "images": [part]}).images == ()


TEXTS: dict[str, tuple[str, str]] = {
    "markdown": (f"Here: ![dawn]({URL}) it is", URL),
    "markdown with a title": (f'![dawn]({URL} "Dawn")', URL),
    "markdown in lines": (f"![dawn]({URL[:60]}\n{URL[60:]})", f"{URL[:60]}\n{URL[60:]}"),
    "html": (f'<img src="{URL}">', URL),
    "bare": (f"Here: {URL} it is", URL),
    "upper case": (
        f"![dawn]({URL.replace('data:image/png', 'DATA:image/PNG')})",
        URL.replace("data:image/png", "DATA:image/PNG"),
    ),
    "parameters": (f"Here: {URL.replace(';', ';charset=utf-8;')}", URL.replace(";", ";charset=utf-8;")),
    "escaped slashes": (URL.replace("/", "\\/"), URL.replace("/", "\\/")),
    "base64 in text": (f"Here: {BASE64} it is", BASE64),
    "base64 alone": (f"\n{BASE64}\n", f"\n{BASE64}\n"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_images_inside_texts_are_found_if_requested(name: str) -> None:
    text, image = TEXTS[name]
    call = {"function": {"name": "save", "arguments": text}}
    for message in ({"content": text}, {"content": "x", "reasoning": text}, {"content": "x", "tool_calls": [call]}):
        answer = read(message)
        assert (answer.output["type"], answer.images) == ("image", (image,))


@pytest.mark.parametrize("text", [f"Here: ![dawn]({URL}) it is", URL, f" {URL}\n", f"{BASE64}\n"])
def test_images_shown_by_a_text_answer_are_possible_images(text: str) -> None:
    answer = read({"content": text}, wants_images=False)
    assert answer.output == {"type": "text", "content": text}
    assert (answer.images, len(answer.possible_images)) == ((), 1)


@pytest.mark.parametrize(
    "text",
    [f'<img src="{URL}">', f"```md\n![dawn]({URL})\n```", f"Write `![dawn]({URL})`.", "![a](https://a.example/1.png)"],
)
def test_images_in_the_code_of_a_text_answer_are_text(text: str) -> None:
    answer = read({"content": text}, wants_images=False)
    assert (answer.output["content"], answer.images, answer.possible_images) == (text, (), ())


def test_images_keep_everything_beside_them() -> None:
    call = {"id": "c1", "function": {"name": "save", "arguments": None}}
    cited = [{"url_citation": {"url": "https://a.example", "start_index": 0, "end_index": 4}}]
    message = {"content": "Here.", "images": [{"image_url": {"url": URL}}], "tool_calls": [call, None]}
    output = read({**message, "reasoning": "hm", "refusal": "No more.", "annotations": cited}).output
    assert output == {
        "type": "image",
        "content": "Here.",
        "urls": [],
        "refusal": "No more.",
        "citations": [{"url": "https://a.example", "title": None, "start_index": 0, "end_index": 4}],
        "reasoning": "hm",
        "tool_calls": [{"id": "c1", "name": "save", "arguments": "{}"}],
    }


@pytest.mark.parametrize(
    "text",
    [
        "](" * 200_000,
        "](data:image/" * 50_000,
        "data:image/png;" * 50_000,
        "iVBORw0KGgo" + " " * 500_000 + "!",
        "`" * 500_000,
        "~~~" + "~`" * 200_000,
    ],
)
def test_images_are_searched_in_hostile_texts(text: str) -> None:
    """Without bounds, these take minutes or hours."""
    assert read({"content": text}).images == read({"content": text}, wants_images=False).possible_images == ()
