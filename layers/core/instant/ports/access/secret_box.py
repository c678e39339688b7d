"""Encryption of users' keys."""

from typing import Protocol

from instant.domain.secret import Secret


class KeySealer(Protocol):
    """Encrypts users' keys."""

    def seal(self, key: Secret, *, user_id: str, service: str) -> bytes:
        """The ciphertext, with user and service as encryption context."""


class KeyOpener(Protocol):
    """Decrypts users' keys."""

    def open(self, ciphertext: bytes, *, user_id: str, service: str) -> Secret:
        """The key; `CredentialRejected` if the ciphertext belongs to another user or service."""
