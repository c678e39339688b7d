"""Keys and their credits: authentication, usage, limits, and GET /key."""

import re
import threading
from collections import defaultdict
from decimal import Decimal

from tests.fakes.openrouter.exact_json import Json
from tests.fakes.openrouter.faults import KEY_LIMIT_REACHED, USER_ID, error
from tests.fakes.openrouter.journal import Arrival

KEY_LIMIT = Decimal(5)
AFFORDABLE_TOKENS = 10_114
# The tokens that OpenRouter assumes for a call without a token limit.
ASSUMED_CAP = 65_536

_WELL_FORMED = re.compile(r"Bearer (sk-or-v1-[A-Za-z0-9_-]{8,})")


class Accounts:
    """Every well-formed key is valid, unless it is revoked or contains a word that makes it fail.

    A key that contains `revoked` is unknown, `broke` has no credits, `lowbalance` cannot pay for a call without
    a token limit, `limited` has used up its limit, `uncapped` has no limit; GET /key fails for `untold`.
    """

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self._spent: dict[str, Decimal] = defaultdict(Decimal)
        self._lock = threading.Lock()

    def authenticate(self, arrival: Arrival) -> str:
        """Return the key of a request; raises a 401 if it is missing, malformed or revoked."""
        match = _WELL_FORMED.fullmatch(arrival.headers.get("authorization", ""))
        if match is None:
            raise error(401, "No cookie auth credentials found")
        if match[1] in self.revoked or "revoked" in match[1]:
            raise error(401, "User not found.")
        return match[1]

    def check_funds(self, key: str, cap: int | None) -> None:
        """Raise 403 if the key's limit is reached, and 402 if the account's credits are too low."""
        if "limited" in key:
            raise error(403, KEY_LIMIT_REACHED)
        asked = ASSUMED_CAP if cap is None else cap
        affordable = 0 if "broke" in key else AFFORDABLE_TOKENS if "lowbalance" in key else asked
        if asked > affordable:
            message = cannot_afford(asked, affordable)
            raise error(402, message, metadata={"provider_name": None}, user_id=USER_ID)

    def charge(self, key: str, cost: Decimal) -> None:
        """Add the cost of a call."""
        with self._lock:
            self._spent[key] += cost

    def describe(self, key: str) -> Json:
        """The `data` of GET /key."""
        if "untold" in key:
            raise error(500, "Internal Server Error")
        spent, byok = self._spent[key], Decimal(0)
        limit = None if "uncapped" in key else KEY_LIMIT
        left = Decimal(0) if "limited" in key else KEY_LIMIT - spent
        return {
            "label": f"{key[:12]}...{key[-3:]}",
            "is_management_key": False,
            "is_provisioning_key": False,
            "limit": limit,
            "limit_reset": "monthly" if "limited" in key else None,
            "limit_remaining": left if limit is not None else None,
            "include_byok_in_limit": False,
            **{f"usage{period}": spent for period in _PERIODS},
            **{f"byok_usage{period}": byok for period in _PERIODS},
            "is_free_tier": False,
            "expires_at": None,
            "creator_user_id": None,
            "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
        }


def cannot_afford(asked: int, affordable: int) -> str:
    """The error message of a 402."""
    return (
        "This request requires more credits, or fewer max_tokens. "
        f"You requested up to {asked} tokens, but can only afford {affordable}. "
        "To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account"
    )


_PERIODS = ("", "_daily", "_weekly", "_monthly")
