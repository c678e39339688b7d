"""Media of an answer: which URLs are read as images, and the checks before decoding."""

from base64 import b64encode

import pytest

from instant.domain.errors import Internal, UpstreamError
from instant.domain.executions.execution import KeySource, Opening
from instant.domain.executions.failure import Failure
from instant.domain.executions.image import DecodedImage, Image
from instant.domain.executions.output import Answer
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


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "data:",
        "https://pictures.example/cat.png",
        "DATA:image/png;base64,cGljdHVyZQ==",
        " " + url(),
        url(kind="svg+xml"),
        url(kind="x-icon"),
        "data:text/html;base64,cGljdHVyZQ==",
        "data:image/png;charset=utf-8;base64,cGljdHVyZQ==",
        "data:image/png,cGljdHVyZQ==",
        "data:image/png;base64,####",
        "data:image/png;base64,cGlj dHVyZQ==",
        "data:image/png;base64,cGljdHVyZQ==\n",
        "data:image/png;base64,cGljdHVyZQ",
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
