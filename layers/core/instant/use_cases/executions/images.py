"""Create links to a user's images."""

from dataclasses import dataclass

from instant.domain.access.identity import Identity
from instant.domain.errors import NotFound
from instant.domain.executions.image import Image
from instant.ports.clock import Clock
from instant.ports.executions.history import ExecutionReader
from instant.ports.media.image_store import ImageReader
from instant.use_cases.executions.links import LINK_SECONDS, Link, link_from_now


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDeps:
    """The dependencies of finding an image."""

    images: ImageReader
    executions: ExecutionReader
    clock: Clock


def link_to_image(image_id: str, caller: Identity, deps: ImageDeps) -> Link:
    """Create a new link to an image of an execution that the caller may read."""
    image = deps.images.get(image_id)
    if image is None or not _is_visible(image, caller, deps.executions):
        raise NotFound.of("image")
    return link_from_now(deps.images.link(image, seconds=LINK_SECONDS), deps.clock)


def _is_visible(image: Image, caller: Identity, executions: ExecutionReader) -> bool:
    """The execution says which key made the image; with the scope read, it need not be read."""
    if image.user_id != caller.user_id or caller.reads_all:
        return image.user_id == caller.user_id
    execution = executions.get(image.execution_id)
    return execution is not None and execution.visible_to(caller)
