"""Store the images of an answer: decoded strictly, stored under their hash, and returned as paths of this API."""

import logging
import re
from binascii import a2b_base64

from instant.domain.clock import parse_time
from instant.domain.errors import Internal, UpstreamError
from instant.domain.executions.execution import Opening
from instant.domain.executions.failure import Failure
from instant.domain.executions.image import DecodedImage, Image
from instant.domain.executions.output import Answer, Output
from instant.domain.ids import new_id
from instant.ports.media.image_decoder import ImageDecoder
from instant.ports.media.image_store import ImageStore
from instant.use_cases.executions.deps import MediaDeps

MAX_IMAGES = 8
"""Maximum number of images stored per answer."""

MAX_BYTES = 20_000_000
"""Maximum size of an image that is decoded, in bytes."""

_MAX_LETTERS = (MAX_BYTES + 2) // 3 * 4
_DATA_URL = re.compile(r"data:image/(?:png|jpe?g|webp|gif);base64,")
_DATA_IN_TEXT = re.compile(r"data:[\w.+/-]+;base64,[A-Za-z0-9+/=]+")

_log = logging.getLogger(__name__)


def store_images(answer: Answer, opening: Opening, deps: MediaDeps) -> Answer:
    """Replace the images by paths; the answer is already paid for, so every failure carries its receipt."""
    if not answer.images:
        return answer
    read = [decode_image(url, deps.decoder) for url in answer.images[:MAX_IMAGES]]
    decoded = {decoded.sha256: decoded for decoded in read if decoded}
    if not decoded:
        unreadable = UpstreamError("The model returned no readable image. Change the prompt.")
        raise Failure(unreadable, receipt=answer.receipt)
    try:
        paths = [_keep(decoded, opening, deps.images) for decoded in decoded.values()]
    except Exception:
        _log.exception("images were not stored", extra={"execution_id": opening.execution_id})
        message = (
            "The model answered, but its images could not be stored. The call was charged; a new call is charged again."
        )
        raise Failure(Internal(message), receipt=answer.receipt) from None
    unread = len(answer.images) - len(read) + read.count(None)
    return Answer(_output(answer, paths, unread), answer.receipt)


def decode_image(url: str, decoder: ImageDecoder) -> DecodedImage | None:
    """Decode the image in a data URL; other URLs are not fetched, to prevent SSRF."""
    found = _DATA_URL.match(url)
    if found is None or len(url) - found.end() > _MAX_LETTERS:
        return None
    try:
        data = a2b_base64(url[found.end() :], strict_mode=True)
    except ValueError:
        return None
    return decoder.decode(data)


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


def _output(answer: Answer, paths: list[str], unreadable: int) -> Output:
    """The output for callers; data URLs that the model repeats in its text are removed from it."""
    content = answer.output["content"]
    words = _DATA_IN_TEXT.sub("", content) if isinstance(content, str) else content
    output: Output = {"type": "image", "content": words, "urls": paths}
    return {**output, "unreadable_images": unreadable} if unreadable else output
