"""Scopes limit what a caller may do; handles contain no information about the user."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instant.domain.access.identity import Identity, Scope, handle_of, with_included
from instant.domain.errors import Forbidden


@pytest.mark.parametrize("scope", Scope)
def test_identity_requires_the_exact_scope(scope: Scope) -> None:
    Identity("user_alice", frozenset({scope})).require(scope)
    for scopes in (frozenset[Scope](), frozenset(Scope) - {scope}):
        with pytest.raises(Forbidden, match=f"'{scope}'"):
            Identity("user_alice", scopes).require(scope)


def test_identity_requires_one_of_several_scopes() -> None:
    Identity("user_alice", frozenset({Scope.READ})).require(Scope.EXECUTE, Scope.READ)
    with pytest.raises(Forbidden, match="'execute' or 'read'"):
        Identity("user_alice", frozenset({Scope.MANAGE})).require(Scope.EXECUTE, Scope.READ)


@pytest.mark.parametrize(
    ("names", "scopes"),
    [
        (["execute"], {Scope.EXECUTE}),
        (["read"], {Scope.READ}),
        (["manage"], {Scope.MANAGE, Scope.READ}),
        (["execute", "manage"], {Scope.EXECUTE, Scope.MANAGE, Scope.READ}),
        (["admin"], {Scope.ADMIN, Scope.READ}),
        (["execute", "of a later version"], {Scope.EXECUTE}),
        ([], set()),
    ],
)
def test_scopes_include_read_but_never_execute(names: list[str], scopes: set[Scope]) -> None:
    assert with_included(names) == scopes


@given(st.text(max_size=60))
def test_identity_handle_has_the_same_form_for_every_user(user_id: str) -> None:
    handle = handle_of(user_id)
    assert re.fullmatch(r"u[a-z2-7]{12}", handle)
    assert handle == handle_of(user_id)


def test_identity_handles_differ_between_users() -> None:
    assert len({handle_of(f"user_{number}") for number in range(5_000)}) == 5_000
