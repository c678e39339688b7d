"""Media count as many tokens, images and paid pages as any reader could make of them."""

from base64 import b64encode

import pytest

from instant.domain.catalog.pricing import IMAGE_TOKENS
from instant.domain.files.pdf import pdf_bound
from instant.domain.media import Media, read_media
from instant.domain.media_types import MediaKind
from instant.resource_types.chat_plan import plan_chat
from instant.resource_types.media_usage import AUDIO_TOKENS, FILE_TOKENS, MediaUsage, media_usage
from instant.resource_types.messages.content import user_content
from instant.resource_types.model_settings import ModelSettings
from instant.resource_types.resource_type import Call
from tests.fakes.builders import a_model
from tests.fakes.pdf import TEXT, one_page, page, pdf, stream
from tests.unit.domain.files.test_audio import FRAME, a_wav

TWO_PAGES = pdf(page(3, b"5 0 R"), page(4, b"5 0 R"), stream(5, TEXT), kids=(3, 4))


def media(kind: MediaKind, form: str, data: bytes) -> Media:
    """Return media with these bytes."""
    return read_media(kind, f"data:{form};base64,{b64encode(data).decode()}", "inputs.it")


def a_file(data: bytes) -> Media:
    """Return a PDF input."""
    return media("file", "application/pdf", data)


def text_tokens(data: bytes) -> int:
    """Return the tokens of the file's text."""
    bound = pdf_bound(data)
    assert bound is not None
    return bound.text_bytes + FILE_TOKENS


def test_pdf_counts_its_text_and_each_page_as_an_image() -> None:
    tokens = text_tokens(TWO_PAGES) + 2 * IMAGE_TOKENS
    assert media_usage([a_file(TWO_PAGES)], "native") == MediaUsage(tokens, images=2, ocr_pages=0)


def test_pdf_read_as_text_counts_no_images() -> None:
    assert media_usage([a_file(TWO_PAGES)], "cloudflare-ai") == MediaUsage(text_tokens(TWO_PAGES), 0, 0)


def test_pdf_read_by_ocr_counts_its_pages_and_the_whole_context() -> None:
    assert media_usage([a_file(TWO_PAGES)], "mistral-ocr") == MediaUsage(None, 0, ocr_pages=2, known_pages=2)


@pytest.mark.parametrize("other", [b"%PDF-1.7 junk", TWO_PAGES + b"/Encrypt 9 0 R"])
def test_file_without_a_bound_counts_the_whole_context(other: bytes) -> None:
    usage = media_usage([a_file(TWO_PAGES), a_file(other)], "native")
    assert usage.tokens is None
    assert media_usage([a_file(other)], "mistral-ocr").ocr_pages == len(other) // 10 + 1


def test_audio_counts_its_longest_length() -> None:
    wav, mp3 = media("audio", "audio/wav", a_wav(8_000)), media("audio", "audio/mpeg", FRAME * 10)
    assert media_usage([wav], None).tokens == 2 * AUDIO_TOKENS
    assert media_usage([mp3], None).tokens == 5 * AUDIO_TOKENS
    assert media_usage([media("audio", "audio/wav", a_wav(9, tag=2)), mp3], None).tokens is None


@pytest.mark.parametrize("form", ["audio/wav", "audio/mpeg"])
def test_audio_is_measured_by_its_data_whatever_its_name(form: str) -> None:
    adpcm, slow = a_wav(9_000, tag=2), a_wav(9_000, rate=10)
    tagged = b"ID3\4\0\0\0\0\0\4tags\0\0" + FRAME * 10
    assert media_usage([media("audio", form, a_wav(8_000))], None).tokens == 2 * AUDIO_TOKENS
    assert media_usage([media("audio", form, slow)], None).tokens == 453 * AUDIO_TOKENS
    assert media_usage([media("audio", form, FRAME * 10)], None).tokens == 5 * AUDIO_TOKENS
    assert media_usage([media("audio", form, tagged)], None).tokens is not None
    aac, tagged_flac = b"\xff\xf1\x50\x80" + b"\0" * 99, b"ID3\4\0\0\0\0\0\0fLaC" + b"\0" * 99
    for other in (adpcm, aac, tagged_flac, b"OggS" + FRAME, b"fLaC" + FRAME, b"x", a_wav(9).replace(b"WAVE", b"AVI ")):
        assert media_usage([media("audio", form, other)], None).tokens is None


def test_images_count_as_before() -> None:
    image = media("image", "image/png", b"\x89PNG\r\n\x1a\n")
    assert media_usage([image, image], None) == MediaUsage(2 * IMAGE_TOKENS, images=2, ocr_pages=0)


@pytest.mark.parametrize(
    "given", [a_file(one_page(b"(word) Tj T* " * 400)), media("audio", "audio/mpeg", FRAME * 2_300)], ids=["pdf", "mp3"]
)
def test_page_and_minute_of_speech_are_within_the_default_cap(given: Media) -> None:
    prices = {"prompt": "0.0000003", "audio": "0.000001", "completion": "0.0000025"}
    model = a_model(pricing=prices, input_modalities=("text", "file", "audio"), context_length=1_048_576)
    call = Call(config={}, inputs={}, models=[model], user="u", cap_nanousd=250_000_000)
    plan = plan_chat(ModelSettings(model="meadow/lark-mini", max_tokens=1_000), user_content("Sum up.", [given]), call)
    assert plan.worst_nanousd <= call.cap_nanousd
