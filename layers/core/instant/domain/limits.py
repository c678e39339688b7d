"""Every limit on what callers send, on one page (the README shows it); how often they may call, template.yaml says."""

from dataclasses import dataclass
from math import ceil

from instant.domain.errors import RateLimited

MAX_BODY_BYTES = 400_000
"""Longest body of a request: the largest settings, and room for what stands beside them."""

MAX_MEDIA_BODY_BYTES = 6_000_000
"""Longest body where media may be sent along (execute, preview): Lambda's 6 MiB, less the event around it."""

MAX_JSON_DEPTH = 32
"""Most levels of nesting in a body: deeper ones overflow the stack of some reader on the way."""

MAX_JSON_VALUES = 50_000
"""Most objects, lists and members in a body: each costs far more memory and time than the bytes that it takes."""

MAX_NUMBER_DIGITS = 40
"""Longest integer in a body: those that no processor has at hand are compared a thousand times slower."""

MAX_TEXT_BYTES = 200_000
"""Longest prompt, system prompt and template, in UTF-8: every byte is reckoned as a token."""

MAX_CONFIG_BYTES = 300_000
"""Largest settings of a resource, as JSON in ASCII: a row with all its attributes ends at DynamoDB's 400 KB."""

MAX_IMAGES = 8
"""Most images in one call, and most inputs of a template that hold media: each counts up to 50,000 tokens."""

MAX_INPUTS = 32
"""Most inputs of a template."""

MAX_SCHEMA_DEPTH = 8
"""Most levels of nesting in a template's `input_schema`."""

MAX_SCHEMA_STEPS = 100_000
"""Most work of checking a template's inputs: values in an input (500 characters are one) times values in its schema."""

MAX_PATTERNS = 32
"""Most `pattern`s in a template's `input_schema`."""

MAX_PATTERN_BYTES = 10_000
"""Most text that patterns look through in one call, once for each pattern; a pattern may compile to 64 KB."""

MAX_ANSWER_TOKENS = 1_000_000
"""Highest `max_tokens` and `reasoning.max_tokens`; what the model can, and the cap on costs, are usually lower."""

MAX_TOOLS = 64
"""Most tools of a resource."""

MAX_STOPS = 4
"""Most stop sequences: providers take no more."""

MAX_STOP_CHARACTERS = 200
"""Longest stop sequence."""

MAX_NAME_CHARACTERS = 120
"""Longest name of a resource or of an API key."""

MAX_DESCRIPTION_CHARACTERS = 2_000
"""Longest description of a resource or of a tool."""

MAX_BUDGETS = 100
"""Most budgets that one user may set."""

MAX_ID_CHARACTERS = 40
"""Longest id: none of ours is longer, so a longer one names nothing. It may be a key, and is looked up nowhere."""

MAX_USAGE_DAYS = 366
"""Most days of one usage report: a year, whichever it is."""

MAX_USAGE_ROWS = 5_000
"""Most rows of one usage report: Lambda's 6 MB would not hold many more."""

MINUTE = 60
HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` calls in `seconds`."""

    limit: int
    seconds: int

    def exceeded(self, seconds_left: float) -> RateLimited:
        """The refusal of one call more; `seconds_left` until the next one can pass."""
        wait = max(1, ceil(seconds_left))
        return RateLimited(
            f"{self.limit} calls in {self.seconds} seconds are allowed here. Wait {wait} seconds, then call again.",
            details={"limit": "rate", "most": self.limit, "seconds": self.seconds},
            retry_after=wait,
        )


RETRY_IN_FLIGHT = 2
"""Seconds to wait for one of one's own executions to end; nobody knows how long it takes."""


def too_many_in_flight(most: int) -> RateLimited:
    """The refusal of one execution more while `most` of the same user are under way."""
    return RateLimited(
        f"{most} of your executions are under way, which is all that may be at once. Call again when one has ended.",
        details={"limit": "in_flight", "most": most},
        retry_after=RETRY_IN_FLIGHT,
    )
