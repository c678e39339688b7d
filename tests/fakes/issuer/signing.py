"""Creates JSON Web Signatures without a JWT library, so that any header can be signed with any key."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}

type Edwards = ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
type Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Edwards

EDWARDS: dict[str, Callable[[], Edwards]] = {
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
}


@dataclass(frozen=True)
class SigningKey:
    """A private key with its id and its algorithm: RS256 to RS512, ES256 to ES512, EdDSA."""

    kid: str
    alg: str
    private: Private

    @classmethod
    def make(cls, kid: str, alg: str = "RS256", bits: int = 2048) -> "SigningKey":
        """A new key; `bits` is the size of an RSA key, a curve in place of `alg` is one of EdDSA."""
        if alg in EDWARDS:
            return cls(kid, "EdDSA", EDWARDS[alg]())
        if alg in CURVES:
            return cls(kid, alg, ec.generate_private_key(CURVES[alg]))
        return cls(kid, alg, rsa.generate_private_key(65537, bits))

    def sign(self, data: bytes) -> bytes:
        """The signature in the format of RFC 7518, or of RFC 8037."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return self.private.sign(data)
        digest = HASHES[self.alg[2:]]
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), digest)
        size = (self.private.key_size + 7) // 8
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(size) + s.to_bytes(size)

    def jwk(self) -> dict[str, str]:
        """The public key as a JWK."""
        named = {"kid": self.kid, "alg": self.alg, "use": "sig"}
        if isinstance(self.private, rsa.RSAPrivateKey):
            public = self.private.public_key().public_numbers()
            return named | {"kty": "RSA", "n": _number(public.n), "e": _number(public.e)}
        if isinstance(self.private, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            curve = "Ed25519" if isinstance(self.private, ed25519.Ed25519PrivateKey) else "Ed448"
            return named | {"kty": "OKP", "crv": curve, "x": encoded(self.private.public_key().public_bytes_raw())}
        point, size = self.private.public_key().public_numbers(), (self.private.key_size + 7) // 8
        curve = {256: "P-256", 384: "P-384", 521: "P-521"}[self.private.key_size]
        return named | {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size)}

    def public_pem(self) -> bytes:
        """The public key as PEM, the shared secret of an algorithm confusion attack."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@cache
def first_key() -> SigningKey:
    """The initial key of every issuer, created once per process because generating an RSA key is slow."""
    return SigningKey.make("first")


def jws(header: Mapping[str, Any], claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """A token in compact serialization: `header` and `claims` unchanged, signed by `sign`."""
    signed = f"{encoded(_json(header))}.{encoded(_json(claims))}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _number(value: int, size: int | None = None) -> str:
    return encoded(value.to_bytes(size or (value.bit_length() + 7) // 8))
