"""Store the images of an answer: decoded strictly, stored under their hash, and returned as paths of this API."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from instant.domain.clock import parse_time
from instant.domain.data_url import LETTERS_IN_TEXT, head_in_text, is_data_url, parse_data_url
from instant.domain.errors import Internal, UpstreamError
from instant.domain.executions.execution import Opening
from instant.domain.executions.failure import Failure
from instant.domain.executions.image import DecodedImage, Image
from instant.domain.executions.output import Answer, Output
from instant.domain.ids import new_id
from instant.domain.json_values import map_strings
from instant.domain.media_types import IMAGE_IN_BASE64, media_type_of
from instant.ports.media.image_decoder import ImageDecoder
from instant.ports.media.image_store import ImageStore
from instant.use_cases.executions.deps import MediaDeps

MAX_IMAGES = 8
"""Maximum number of images stored per answer."""

MAX_BYTES = 20_000_000
"""Maximum size of an image that is decoded, in bytes."""

_IMAGE_URL = re.compile(rf"\s*(?:{head_in_text('image')}|(?={IMAGE_IN_BASE64}))", re.IGNORECASE)
_DATA_IN_TEXT = re.compile(head_in_text(r"[\w.+-]{1,80}") + LETTERS_IN_TEXT, re.IGNORECASE)

_log = logging.getLogger(__name__)


def store_images(answer: Answer, opening: Opening, deps: MediaDeps) -> Answer:
    """Replace the images by paths; the answer is already paid for, so every failure carries its receipt."""
    received = (answer.images + answer.possible_images)[:MAX_IMAGES]
    if not received:
        return answer
    read = {url: decoded for url in received if (decoded := decode_image(url, deps.decoder))}
    if not read:
        if answer.images and "tool_calls" not in answer.output:
            unreadable = UpstreamError("The model returned no readable image. Change the prompt.")
            raise Failure(unreadable, receipt=answer.receipt)
        if not answer.images:
            return _without_images(answer)
    unique = {decoded.sha256: decoded for decoded in read.values()}
    try:
        paths = {sha256: _keep(decoded, opening, deps.images) for sha256, decoded in unique.items()}
    except Exception:
        _log.exception("images were not stored", extra={"execution_id": opening.execution_id})
        if not answer.images:
            return _without_images(answer)
        message = (
            "The model answered, but its images could not be stored. The call was charged; a new call is charged again."
        )
        raise Failure(Internal(message), receipt=answer.receipt) from None
    path_of = {url: paths[decoded.sha256] for url, decoded in read.items()}
    link = _linker(answer, path_of)
    linked: Output = map_strings(answer.output, link)
    output: Output = {**linked, "type": "image", "urls": list(paths.values())}
    if details := answer.output.get("reasoning_details"):
        output["reasoning_details"] = details  # unchanged: it is signed or encrypted
    if unread := len(set(answer.images) - read.keys()):
        output["unreadable_images"] = unread
    media_types = tuple(decoded.content_type for decoded in unique.values())
    return Answer(output, answer.receipt, text=answer.text and link(answer.text), media_types=media_types)


def _without_images(answer: Answer) -> Answer:
    return replace(answer, images=(), possible_images=())


def decode_image(url: str, decoder: ImageDecoder) -> DecodedImage | None:
    """Decode the image in a data URL or in base64; links are not fetched, to prevent SSRF.

    Line breaks, percent-encoding, the URL-safe alphabet and missing padding are accepted, as models write them.
    """
    if not _IMAGE_URL.match(url):
        return None
    plain = url.replace("\\", "")
    found = parse_data_url(plain if is_data_url(plain) else f"data:;base64,{plain}", MAX_BYTES)
    if found is None or media_type_of("image", found.media_type, found.data) is None:
        return None
    return decoder.decode(found.data)


def _keep(decoded: DecodedImage, opening: Opening, images: ImageStore) -> str:
    image = Image(
        image_id=new_id("img", parse_time(opening.created_at)),
        user_id=opening.user_id,
        execution_id=opening.execution_id,
        object_key=f"media/{opening.execution_id}/{decoded.sha256}",
        sha256=decoded.sha256,
        content_type=decoded.content_type,
        size_bytes=len(decoded.data),
        width=decoded.width,
        height=decoded.height,
        created_at=opening.created_at,
    )
    images.keep(image, decoded.data)
    return image.path


def _linker(answer: Answer, path_of: Mapping[str, str]) -> Callable[[str], str]:
    """Puts paths in place of images in a text; other data URLs in an image answer are removed."""
    data = {url for url in answer.images if _IMAGE_URL.match(url)}
    longest_first = sorted({*data, *path_of}, key=len, reverse=True)

    def link(text: str) -> str:
        for url in longest_first:
            text = text.replace(url, path_of.get(url, ""))
        return _DATA_IN_TEXT.sub("", text) if answer.images else text

    return link
