"""Outputs of executions as objects in the media bucket."""

from typing import override

from instant.adapters.aws.objects import put_once, signed_link
from instant.domain.executions.delivery import Document
from instant.ports.executions.output_links import OutputLinks

OUTPUTS = "media/outputs/"
"""The prefix of the documents; the next part of a key is the id of the execution."""


class S3OutputLinks(OutputLinks):
    """Stores each document when its link is first requested."""

    def __init__(self, bucket: str) -> None:
        """Use the bucket of this name."""
        self._bucket = bucket

    @override
    def link(self, execution_id: str, document: Document, *, seconds: int) -> str:
        """Browsers download the document: a model's text must not be shown as a page."""
        key = f"{OUTPUTS}{execution_id}/{document.name}"
        put_once(self._bucket, key, document.data, document.content_type)
        return signed_link(
            self._bucket,
            key,
            content_type=document.content_type,
            disposition=f"attachment; filename={document.name}",
            cache_control="private, no-store",
            seconds=seconds,
        )
