"""A prepared execution: everything that is decided before anything is spent, as data without a key."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from instant.domain.exchange import Request
from instant.domain.executions.execution import KeySource
from instant.domain.executions.plan import Plan
from instant.domain.usage.budget import Budget, BudgetScope, Subject

MAX_INLINE_BYTES = 100_000
"""Maximum request body that is part of the JSON; a larger one is stored separately, under its content hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A reference to the stored key of an execution: its owner, its integration, and the hash of its ciphertext.

    The key itself is read and decrypted when the execution is performed. A key that was replaced in the meantime has a
    different ciphertext.
    """

    integration: str
    user_id: str
    source: KeySource
    ciphertext_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingModel:
    """A model that may serve, with its catalog prices as decimal text, for comparison with the reported cost.

    `own_searches` is the number of searches that it makes by itself in each call; None if it has no limit.
    `price_held` has the announced prices that are not accepted yet.
    """

    openrouter_id: str
    canonical_slug: str
    pricing: Mapping[str, str]
    price_overrides: Sequence[Mapping[str, Any]] = ()
    own_searches: int | None = 0
    price_held: Mapping[str, str] = field(default_factory=dict)
    price_held_since: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One execution, ready to be performed now or later; it can be serialized as JSON.

    `fingerprint` is set when the call has an idempotency key; `credential` is None where the type needs no key;
    `by_owner` says whether the caller owns the resource. Without `reveals_cost`, no error names the maximum cost, from
    which the length of a hidden prompt could be computed.
    """

    execution_id: str
    user_id: str
    api_key_id: str | None
    fingerprint: str | None
    resource_id: str
    resource_revision: int
    resource_type: str
    by_owner: bool
    models: tuple[ServingModel, ...]
    credential: Credential | None
    budgets: tuple[Budget, ...]
    plan: Plan
    reveals_cost: bool = False

    @property
    def model(self) -> str | None:
        """The model that normally serves."""
        return self.models[0].openrouter_id if self.models else None


def dump(prepared: Prepared) -> tuple[str, Mapping[str, bytes]]:
    """The JSON, and the request body by its SHA-256 if it is longer than `MAX_INLINE_BYTES`."""
    plan, body = prepared.plan, prepared.plan.request.body
    facts = asdict(replace(prepared, plan=replace(plan, request=replace(plan.request, body=None))))
    large: dict[str, bytes] = {}
    if body is not None and len(body) > MAX_INLINE_BYTES:
        facts["body_sha256"] = sha256(body).hexdigest()
        large[facts["body_sha256"]] = body
    elif body is not None:
        facts["body"] = b64encode(body).decode()
    return json.dumps(facts, separators=(",", ":"), default=_decimal_text), large


def load(text: str, fetch: Callable[[str], bytes]) -> Prepared:
    """Parse the execution from JSON; `fetch` returns a large request body by its SHA-256."""
    facts: dict[str, Any] = json.loads(text)
    body, stored = facts.pop("body", None), facts.pop("body_sha256", None)
    plan, credential = facts.pop("plan"), facts.pop("credential")
    content = fetch(stored) if stored else None if body is None else b64decode(body)
    return Prepared(
        **{
            **facts,
            "models": tuple(_model(model) for model in facts["models"]),
            "budgets": tuple(_budget(budget) for budget in facts["budgets"]),
        },
        credential=Credential(**{**credential, "source": KeySource(credential["source"])}) if credential else None,
        plan=Plan(
            **{
                **plan,
                "request": Request(**{**plan["request"], "body": content}),
                "ignored": tuple(plan.get("ignored", ())),
            }
        ),
    )


def _decimal_text(value: object) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    return str(value)


def _model(facts: dict[str, Any]) -> ServingModel:
    return ServingModel(**{**facts, "price_overrides": tuple(facts["price_overrides"])})


def _budget(facts: dict[str, Any]) -> Budget:
    subject = facts.pop("subject")
    return Budget(subject=Subject(BudgetScope(subject["scope"]), subject["subject_id"]), **facts)
