"""Encryption of users' keys with KMS, bound to user, service and stage: a copied ciphertext does not decrypt."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import override

from botocore.exceptions import ClientError

from instant.adapters.aws.client import client
from instant.adapters.clock import SystemClock
from instant.domain.errors import CredentialRejected
from instant.domain.secret import Secret
from instant.ports.access.secret_box import KeyOpener, KeySealer
from instant.ports.clock import Clock

CACHE_SECONDS = 300
"""How long a decrypted key is cached in the process; its row is still read on every call."""

_CACHE_SIZE = 256


_CLOSED = {"InvalidCiphertextException", "IncorrectKeyException"}


class KmsFailed(Exception):
    """KMS failed or could not be reached. Only the error class is kept: its message may contain secrets."""


class KmsKeySealer(KeySealer):
    """Encrypts only."""

    def __init__(self, key_id: str, stage: str) -> None:
        """Use this KMS key for this stage."""
        self._key_id = key_id
        self._stage = stage

    @override
    def seal(self, key: Secret, *, user_id: str, service: str) -> bytes:
        with _without_words():
            reply = client("kms").encrypt(
                KeyId=self._key_id,
                Plaintext=key.reveal().encode(),
                EncryptionContext=_context(self._stage, user_id, service),
            )
            return bytes(reply["CiphertextBlob"])


class KmsKeyOpener(KeyOpener):
    """Decrypts only; caches decrypted keys for a limited time, by context and hash of the ciphertext."""

    def __init__(self, key_id: str, stage: str, clock: Clock | None = None) -> None:
        """Use this KMS key for this stage."""
        self._key_id = key_id
        self._stage = stage
        self._clock = clock or SystemClock()
        self._opened: OrderedDict[tuple[str, str, bytes], tuple[float, Secret]] = OrderedDict()

    @override
    def open(self, ciphertext: bytes, *, user_id: str, service: str) -> Secret:
        now = self._clock.monotonic()
        self._forget_old(now)
        name = (user_id, service, sha256(ciphertext).digest())
        if name not in self._opened:
            self._opened[name] = (now + CACHE_SECONDS, self._decrypt(ciphertext, user_id, service))
        return self._opened[name][1]

    def _forget_old(self, now: float) -> None:
        """Evict expired entries, and the oldest if there are too many; entries are ordered by time."""
        while self._opened and (len(self._opened) >= _CACHE_SIZE or next(iter(self._opened.values()))[0] <= now):
            self._opened.popitem(last=False)

    def _decrypt(self, ciphertext: bytes, user_id: str, service: str) -> Secret:
        with _without_words():
            try:
                reply = client("kms").decrypt(
                    KeyId=self._key_id,
                    CiphertextBlob=ciphertext,
                    EncryptionContext=_context(self._stage, user_id, service),
                )
            except ClientError as error:
                if _code(error) not in _CLOSED:
                    raise
                save = f"POST /api/user/integrations/{service}"
                raise CredentialRejected(
                    f"The stored {service} key cannot be decrypted. Save it again: {save}."
                ) from None
            return Secret(reply["Plaintext"].decode())


@contextmanager
def _without_words() -> Iterator[None]:
    try:
        yield
    except CredentialRejected:
        raise
    except Exception as error:
        raise KmsFailed(_code(error) if isinstance(error, ClientError) else type(error).__name__) from None


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def _context(stage: str, user_id: str, service: str) -> dict[str, str]:
    """The encryption context of a ciphertext; KMS requires the same context for decryption."""
    return {"app": "instant", "stage": stage, "user_id": user_id, "service": service}
