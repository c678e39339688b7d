"""Bearer tokens that are not well-formed API keys are rejected without a table lookup."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.access.api_key import mint
from instant.domain.access.identity import Scope
from instant.domain.errors import Unauthenticated
from instant.use_cases.access.authorize import authorize
from tests.fakes.clock import START, FakeClock

# The key differs in every process, so test ids contain the length of the header instead.
KEY = mint(user_id="user_alice", name="k", scopes=frozenset({Scope.EXECUTE}), now=START)[0].reveal()


class Closed:
    """A table that must not be read."""

    def __getattr__(self, name: str) -> Any:
        """Fail on any access."""
        raise AssertionError(f"the table was asked: {name}")


FOREIGN = [
    "", "Bearer", "Bearer ", KEY, f"Basic {KEY}", f"Token {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}",
    f"Bearer {KEY[::-1]}", f"Bearer {KEY} {KEY}", f"Bearer  x {KEY}", f"Bearer{KEY}", "Bearer x4k_live_",
    f"Bearer {KEY.swapcase()}", f"Bearer sk-or-v1-{'a' * 64}", "Bearer eyJhbGciOiJub25lIn0.e30.",
]  # fmt: skip


def test_authorize_rejects_foreign_tokens_without_a_table_lookup() -> None:
    for header in FOREIGN:
        with pytest.raises(Unauthenticated, match=r"^Send a valid API key .* as Authorization: Bearer …$") as caught:
            authorize(header, Closed(), FakeClock())
        assert KEY not in str(caught.value.body())


@given(st.text())
def test_authorize_accepts_any_header_without_crashing(header: str) -> None:
    for text in (header, f"Bearer {header}"):
        with pytest.raises(Unauthenticated):
            authorize(text, Closed(), FakeClock())


def test_authorize_rejects_every_key_typo_without_a_table_lookup() -> None:
    for place in range(len(KEY)):
        typo = KEY[:place] + ("A" if KEY[place] != "A" else "B") + KEY[place + 1 :]
        with pytest.raises(Unauthenticated):
            authorize(f"Bearer {typo}", Closed(), FakeClock())


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", " BEARER   "])
def test_authorize_queries_the_table_for_a_well_formed_key(scheme: str) -> None:
    with pytest.raises(AssertionError, match="the table was asked: get"):
        authorize(f"{scheme}{KEY} ", Closed(), FakeClock())
