"""Answers: up to 8 KB in the execution's row, larger ones as objects in the media bucket."""

import logging
from hashlib import sha256
from typing import override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.domain.executions.execution import StoredAnswer
from instant.ports.executions.answer_store import AnswerStore

INLINE_BYTES = 8_192
"""Maximum size of an answer that is stored in the row, in bytes."""

_GONE = {"AccessDenied", "NoSuchKey"}
"""The S3 error codes for a missing object: AccessDenied without permission to list the bucket, as here."""

_log = logging.getLogger(__name__)


class S3AnswerStore(AnswerStore):
    """Stores each large answer as one object, keyed by execution and hash: a retry writes the same object."""

    def __init__(self, bucket: str) -> None:
        """Use the bucket of this name."""
        self._bucket = bucket

    @override
    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        body = text.encode()
        if len(body) <= INLINE_BYTES:
            return StoredAnswer(text=text)
        key = f"media/{execution_id}/{sha256(body).hexdigest()}"
        client("s3").put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        return StoredAnswer(object_key=key)

    @override
    def read(self, answer: StoredAnswer) -> str | None:
        if answer.object_key is None:
            return answer.text
        try:
            body: bytes = client("s3").get_object(Bucket=self._bucket, Key=answer.object_key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            _log.warning("the answer %s cannot be read: %s", answer.object_key, error.response["Error"]["Code"])
            return None
        return body.decode()
