"""Encrypted keys: they decrypt only for their user, service and stage, and are cached for five minutes."""

from base64 import b64encode
from dataclasses import replace

import pytest

from instant.adapters.access.secret_box import CACHE_SECONDS, KmsFailed, KmsKeyOpener, KmsKeySealer
from instant.domain.errors import CredentialRejected
from instant.domain.secret import Secret
from tests.fakes.aws_faults import answer, failure, faults
from tests.fakes.builders import an_integration
from tests.fakes.clock import FakeClock
from tests.integration.app import App
from tests.integration.aws_calls import operations, recorded

KEY = Secret("sk-or-v1-" + "canary42" * 8)
ALICE = {"user_id": "user_alice", "service": "openrouter"}


class Box:
    """The encryption and decryption of one stage, with a test clock."""

    def __init__(self, app: App, stage: str = "test") -> None:
        """Use the KMS key of the app."""
        self.clock = FakeClock()
        self.sealer = KmsKeySealer(app.name("CREDENTIALS_KEY"), stage)
        self.opener = KmsKeyOpener(app.name("CREDENTIALS_KEY"), stage, self.clock)


@pytest.fixture
def box(cloud: App) -> Box:
    return Box(cloud)


def test_secret_box_decrypts_what_it_encrypted(box: Box) -> None:
    sealed = box.sealer.seal(KEY, **ALICE)
    assert KEY.reveal().encode() not in sealed
    assert box.opener.open(sealed, **ALICE) == KEY


def test_kms_receives_the_key_and_the_encryption_context(cloud: App, box: Box) -> None:
    with recorded("kms") as calls:
        box.opener.open(box.sealer.seal(KEY, **ALICE), **ALICE)
    asked = {"KeyId": cloud.name("CREDENTIALS_KEY"), "EncryptionContext": {"app": "instant", "stage": "test", **ALICE}}
    assert operations(calls) == ["Encrypt", "Decrypt"]
    assert [{name: call.parameters.get(name) for name in asked} for call in calls] == [asked, asked]


def test_same_key_encrypts_differently_each_time(box: Box) -> None:
    assert box.sealer.seal(KEY, **ALICE) != box.sealer.seal(KEY, **ALICE)


@pytest.mark.parametrize(
    "other",
    [{"user_id": "user_bob"}, {"service": "other"}, {"user_id": "USER_ALICE"}, {"user_id": ""}],
    ids=["user", "service", "case", "empty"],
)
def test_decrypt_rejects_another_user_or_service(box: Box, other: dict[str, str]) -> None:
    sealed = box.sealer.seal(KEY, **ALICE)
    assert box.opener.open(sealed, **ALICE) == KEY  # also when it is cached
    with pytest.raises(CredentialRejected, match=r"Save it again: POST /api/user/integrations/\w") as caught:
        box.opener.open(sealed, **{**ALICE, **other})
    assert "canary" not in str(caught.value.body())
    assert caught.value.__suppress_context__


def test_decrypt_rejects_another_stage(cloud: App, box: Box) -> None:
    sealed = box.sealer.seal(KEY, **ALICE)
    with pytest.raises(CredentialRejected):
        Box(cloud, "prod").opener.open(sealed, **ALICE)


@pytest.mark.parametrize("place", [0, 40, -1])
def test_decrypt_rejects_a_changed_ciphertext(box: Box, place: int) -> None:
    sealed = bytearray(box.sealer.seal(KEY, **ALICE))
    sealed[place] ^= 1
    with pytest.raises((CredentialRejected, KmsFailed)):
        box.opener.open(bytes(sealed), **ALICE)


def test_kms_failure_is_not_reported_as_an_invalid_key(box: Box) -> None:
    sealed = box.sealer.seal(KEY, **ALICE)
    with (
        faults("Decrypt", failure("AccessDeniedException")),
        pytest.raises(KmsFailed, match=r"^AccessDeniedException$"),
    ):
        box.opener.open(sealed, **ALICE)


def test_decrypted_key_is_cached_for_five_minutes(box: Box) -> None:
    assert CACHE_SECONDS <= 300
    sealed = box.sealer.seal(KEY, **ALICE)
    with faults("Decrypt") as calls:
        box.opener.open(sealed, **ALICE)
        box.clock.pass_seconds(299.9)
        box.opener.open(sealed, **ALICE)
        assert len(calls.bodies) == 1
        box.clock.pass_seconds(0.1)
        box.opener.open(sealed, **ALICE)
        assert len(calls.bodies) == 2


def test_cache_reads_do_not_extend_the_ttl(box: Box) -> None:
    sealed = box.sealer.seal(KEY, **ALICE)
    with faults("Decrypt") as calls:
        for _ in range(7):
            box.opener.open(sealed, **ALICE)
            box.clock.pass_seconds(60)
    assert len(calls.bodies) == 2


def test_cache_removes_expired_entries(box: Box) -> None:
    old, new = box.sealer.seal(KEY, **ALICE), box.sealer.seal(Secret("sk-or-v1-new"), **ALICE)
    box.opener.open(old, **ALICE)
    box.clock.pass_seconds(CACHE_SECONDS / 2)
    box.opener.open(new, **ALICE)
    box.clock.pass_seconds(CACHE_SECONDS / 2)
    box.opener.open(new, **ALICE)
    assert [secret for _, secret in box.opener._opened.values()] == [Secret("sk-or-v1-new")]


def test_replaced_ciphertext_is_decrypted_again(box: Box) -> None:
    old, new = box.sealer.seal(KEY, **ALICE), box.sealer.seal(Secret("sk-or-v1-new"), **ALICE)
    assert box.opener.open(old, **ALICE) == KEY
    assert box.opener.open(new, **ALICE) == Secret("sk-or-v1-new")


def test_cache_size_is_limited(box: Box) -> None:
    opened = answer({"Plaintext": b64encode(KEY.reveal().encode()).decode()})
    with faults("Decrypt", *[opened] * 258) as calls:
        for number in range(257):
            box.opener.open(b"sealed %d" % number, **ALICE)
        assert len(box.opener._opened) == 256
        box.opener.open(b"sealed 256", **ALICE)
        assert len(calls.bodies) == 257
        box.opener.open(b"sealed 0", **ALICE)
        assert len(calls.bodies) == 258


def test_row_copied_to_another_user_does_not_decrypt(box: Box) -> None:
    mine = an_integration(ciphertext=box.sealer.seal(KEY, **ALICE))
    stolen = replace(mine, user_id="user_bob")
    with pytest.raises(CredentialRejected):
        box.opener.open(stolen.ciphertext, user_id=stolen.user_id, service=stolen.service)


def test_sealer_and_opener_do_not_contain_the_key(box: Box) -> None:
    sealed = box.sealer.seal(KEY, **ALICE)
    box.opener.open(sealed, **ALICE)
    assert "canary" not in f"{box.opener.__dict__!r} {box.sealer.__dict__!r}"
