"""Answers: up to 8 KB in the execution's row, larger ones as objects in the media bucket."""

from hashlib import sha256

from instant.adapters.aws import client
from instant.domain.execution import StoredAnswer

INLINE_BYTES = 8_192
"""Largest answer that is kept in the row, in bytes."""


class S3AnswerStore:
    """One object for each large answer, under its execution and its own hash: a repeat writes the same again."""

    def __init__(self, bucket: str) -> None:
        """Use the bucket of this name."""
        self._bucket = bucket

    def keep(self, execution_id: str, text: str) -> StoredAnswer:
        """Store `text` for good and say where it is."""
        body = text.encode()
        if len(body) <= INLINE_BYTES:
            return StoredAnswer(text=text)
        key = f"media/{execution_id}/{sha256(body).hexdigest()}"
        client("s3").put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")
        return StoredAnswer(object_key=key)

    def read(self, answer: StoredAnswer) -> str | None:
        """The text again; None when there is none."""
        if answer.object_key is None:
            return answer.text
        body: bytes = client("s3").get_object(Bucket=self._bucket, Key=answer.object_key)["Body"].read()
        return body.decode()
