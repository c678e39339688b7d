"""Media of an answer: which URLs are read as images, and the checks before decoding."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from instant.domain.errors import Internal, UpstreamError
from instant.domain.executions.execution import KeySource, Opening
from instant.domain.executions.failure import Failure
from instant.domain.executions.image import DecodedImage, Image
from instant.domain.executions.output import Answer, Output
from instant.domain.executions.receipt import Receipt
from instant.use_cases.executions.deps import MediaDeps
from instant.use_cases.executions.media import MAX_BYTES, store_images

RECEIPT = Receipt(generation_id="gen-1", cost_nanousd=7)
OPENING = Opening(
    execution_id="exe_1",
    run_id="run_1",
    user_id="user_alice",
    service="openrouter",
    credential_owner_id="user_alice",
    key_source=KeySource.CALLER,
    resource_id="res_1",
    resource_revision=1,
    model="juniper/fresco-2",
    reserved_nanousd=9,
    created_at="2026-11-22T20:17:24.000000Z",
    lease_expires_at="2026-11-22T20:19:24.000000Z",
)


class AnyImageDecoder:
    """A decoder that accepts any data and records its size."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def decode(self, data: bytes) -> DecodedImage:
        self.sizes.append(len(data))
        return DecodedImage(data=data, content_type="image/png", width=1, height=1)


class Store:
    """A store that keeps the records in a list, or raises an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.images: list[Image] = []
        self._error = error

    def keep(self, image: Image, data: bytes) -> None:
        if self._error:
            raise self._error
        self.images.append(image)


def url(data: bytes = b"picture", kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(data).decode()}"


def answer(*images: str, content: object = "Here.") -> Answer:
    return Answer({"type": "image", "content": content, "urls": []}, RECEIPT, images)


@pytest.mark.parametrize("kind", ["png", "jpeg", "jpg", "webp", "gif"])
def test_media_reads_image_data(kind: str) -> None:
    decoder = AnyImageDecoder()
    kept = store_images(answer(url(kind=kind)), OPENING, MediaDeps(decoder=decoder, images=Store()))
    assert decoder.sizes == [7]
    assert kept.images == ()
    assert kept.receipt == RECEIPT


PNG = b"\x89PNG\r\n\x1a\n\0\xff\xfe\xfd\xff"
PNG_BASE64 = b64encode(PNG).decode()


@pytest.mark.parametrize(
    "spelling",
    [
        url(PNG).replace("data:image/png", "DATA:image/PNG"),
        f" {url(PNG)}\n",
        url(PNG, "x-png"),
        url(PNG, "pjpeg"),
        url(PNG).replace(";", ";charset=utf-8;"),
        url(PNG)[:30] + "\r\n " + url(PNG)[30:],
        url(PNG).replace("/", "\\/"),
        url(PNG).replace("/", "_").replace("+", "-").replace("image_png", "image/png").rstrip("="),
        f"data:image/png;base64,{quote(PNG_BASE64, safe='')}",
        PNG_BASE64,
        f"\n{PNG_BASE64}\n",
    ],
)
def test_media_reads_image_data_in_every_spelling(spelling: str) -> None:
    store = Store()
    store_images(answer(spelling), OPENING, MediaDeps(decoder=AnyImageDecoder(), images=store))
    assert [image.size_bytes for image in store.images] == [len(PNG)]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "data:",
        "https://pictures.example/cat.png",
        url(kind="svg+xml"),
        url(kind="x-icon"),
        "data:text/html;base64,cGljdHVyZQ==",
        "data:image/png,cGljdHVyZQ==",
        "data:image/png;base64,####",
        "cGljdHVyZQ==",
        "data:image/png;base64,cGljdHVyZQ==cGljdHVyZQ==",
        "data:image/png;base64,cGljdHVyZ\u00e9==",
        "data:image/png;base64,\ud800",
        url() + "#<script>",
    ],
)
def test_media_rejects_other_urls_without_decoding(bad: str) -> None:
    decoder, store = AnyImageDecoder(), Store()
    with pytest.raises(Failure) as failure:
        store_images(answer(bad), OPENING, MediaDeps(decoder=decoder, images=store))
    assert type(failure.value.error) is UpstreamError
    assert failure.value.receipt == RECEIPT
    assert (decoder.sizes, store.images) == ([], [])


def test_media_checks_the_length_before_decoding() -> None:
    decoder = AnyImageDecoder()
    media = MediaDeps(decoder=decoder, images=Store())
    store_images(answer(url(bytes(MAX_BYTES))), OPENING, media)
    for size in (MAX_BYTES + 2, 2 * MAX_BYTES):
        with pytest.raises(Failure):
            store_images(answer(url(bytes(size))), OPENING, media)
    assert decoder.sizes == [MAX_BYTES]


def test_media_keeps_an_answer_without_images() -> None:
    text = Answer({"type": "text", "content": "data:image/png;base64,cGljdHVyZQ=="}, RECEIPT)
    assert store_images(text, OPENING, MediaDeps(decoder=AnyImageDecoder(), images=Store())) is text


def test_media_store_failure_raises_internal_error_with_the_receipt(caplog: pytest.LogCaptureFixture) -> None:
    media = MediaDeps(decoder=AnyImageDecoder(), images=Store(OSError("disk")))
    with pytest.raises(Failure) as failure:
        store_images(answer(url()), OPENING, media)
    assert type(failure.value.error) is Internal
    assert failure.value.receipt == RECEIPT
    assert not failure.value.outcome_unknown
    assert "exe_1" in str([vars(record) for record in caplog.records])


def test_media_keeps_absent_text_absent() -> None:
    kept = store_images(answer(url(), content=None), OPENING, MediaDeps(decoder=AnyImageDecoder(), images=Store()))
    assert kept.output["content"] is None


def test_media_keeps_everything_beside_the_images() -> None:
    beside: Output = {
        "type": "image",
        "content": "Here.",
        "urls": [],
        "refusal": "No more.",
        "citations": [{"url": "https://a.example", "title": None, "start_index": 0, "end_index": 4}],
        "reasoning": "hm",
        "tool_calls": [{"id": "c1", "name": "save", "arguments": "{}"}],
    }
    store = Store()
    kept = store_images(Answer(beside, RECEIPT, (url(),)), OPENING, MediaDeps(decoder=AnyImageDecoder(), images=store))
    assert kept.output == {**beside, "urls": [store.images[0].path]}


def test_media_links_images_inside_every_text() -> None:
    image, other = url(), url(b"other")
    output: Output = {
        "type": "image",
        "content": f"![a]({image}) and ![b]({other}) and {url(kind='svg+xml')}",
        "urls": [],
        "reasoning": f"data:font/woff2;charset=utf-8;base64,AAAA {image}",
        "tool_calls": [{"id": None, "name": "save", "arguments": json.dumps({"image": image})}],
    }
    store = Store()
    media = MediaDeps(decoder=AnyImageDecoder(), images=store)
    kept = store_images(Answer(output, RECEIPT, (image, other)), OPENING, media).output
    first, second = (stored.path for stored in store.images)
    assert kept["urls"] == [first, second]
    assert kept["content"] == f"![a]({first}) and ![b]({second}) and "
    assert kept["reasoning"] == f" {first}"
    assert kept["tool_calls"][0]["arguments"] == json.dumps({"image": first})


def test_media_keeps_structured_reasoning_as_it_is_signed() -> None:
    details: list[dict[str, object]] = [{"type": "reasoning.encrypted", "data": f"{url()} {url(kind='bmp')}"}]
    output: Output = {"type": "image", "content": url(), "urls": [], "reasoning_details": details}
    stored = store_images(
        Answer(output, RECEIPT, (url(),)), OPENING, MediaDeps(decoder=AnyImageDecoder(), images=Store())
    )
    assert stored.output["reasoning_details"] == details
    assert stored.output["content"] == stored.output["urls"][0]


def test_media_removes_unreadable_images_from_texts_and_keeps_links() -> None:
    bad, link = "data:image/png;base64,####", "https://pictures.example/1.png"
    content = f"{bad} {link}"
    kept = store_images(
        answer(url(), bad, link, content=content), OPENING, MediaDeps(decoder=AnyImageDecoder(), images=Store())
    ).output
    assert (kept["content"], kept["unreadable_images"]) == (f" {link}", 2)


def test_media_keeps_tool_calls_beside_unreadable_images() -> None:
    output: Output = {"type": "image", "content": None, "urls": [], "tool_calls": [{"name": "save"}]}
    media = MediaDeps(decoder=AnyImageDecoder(), images=Store())
    kept = store_images(Answer(output, RECEIPT, ("data:image/png;base64,####",)), OPENING, media)
    assert kept.output == {**output, "unreadable_images": 1}


def test_media_makes_a_text_with_a_readable_image_an_image() -> None:
    store, code = Store(), "`data:font/woff2;base64,AAAA`"
    text = Answer({"type": "text", "content": f"![a]({url()}) {code}"}, RECEIPT, possible_images=(url(),))
    kept = store_images(text, OPENING, MediaDeps(decoder=AnyImageDecoder(), images=store))
    path = store.images[0].path
    assert kept.output == {"type": "image", "content": f"![a]({path}) {code}", "urls": [path]}


@pytest.mark.parametrize(("bad", "error"), [("data:image/png;base64,####", None), (url(), OSError("disk"))])
def test_media_keeps_a_text_whose_possible_images_are_not_stored(bad: str, error: Exception | None) -> None:
    text = Answer({"type": "text", "content": f"![a]({bad})"}, RECEIPT, possible_images=(bad,))
    kept = store_images(text, OPENING, MediaDeps(decoder=AnyImageDecoder(), images=Store(error)))
    assert (kept.output, kept.receipt) == (text.output, RECEIPT)
