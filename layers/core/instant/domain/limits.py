"""Every size limit on requests and responses (docs/api.md lists them); rate limits are parameters of template.yaml."""

from dataclasses import dataclass
from math import ceil

from instant.domain.errors import RateLimited

MAX_BODY_BYTES = 400_000
"""Maximum size of a request body: the largest settings, and the fields beside them."""

MAX_MEDIA_BODY_BYTES = 6_000_000
"""Maximum size of a body that can contain media (execute, preview): Lambda's 6 MiB, less the rest of the event."""

MAX_RESPONSE_BYTES = 6_250_000
"""Maximum size of a response body, with its quotes and backslashes escaped: Lambda's 6 MiB, less status and headers."""

MAX_JSON_DEPTH = 32
"""Maximum nesting of a body: a deeper one overflows the stack of some parser on the way."""

MAX_JSON_VALUES = 50_000
"""Maximum objects, lists and members in a body: each takes far more memory and time than its bytes."""

MAX_NUMBER_DIGITS = 40
"""Maximum digits of an integer in a body: integers beyond 64 bits are compared a thousand times slower."""

MAX_TEXT_BYTES = 200_000
"""Maximum size of a prompt, system prompt or template, in UTF-8: each byte counts as one token."""

MAX_EMBEDDED_TEXTS = 2_048
"""Maximum texts in one call of `openrouter_embeddings` with `encoding_format` base64."""

MAX_EMBEDDED_FLOATS = 512
"""Maximum texts in one call with `encoding_format` float, whose vectors are four times as long as in base64."""

MAX_EMBEDDED_BYTES = 1_000_000
"""Maximum size of all texts of one call of `openrouter_embeddings`, in UTF-8: each byte counts as one token."""

MAX_CONFIG_BYTES = 300_000
"""Maximum size of a resource's settings, as ASCII JSON: an item with all its attributes is at most 400 KB."""

MAX_MESSAGES = 2_000
"""Maximum messages of one call."""

MAX_MESSAGES_BYTES = 2_000_000
"""Maximum size of all text in the messages of one call, in UTF-8: each byte counts as one token."""

MAX_FILE_NAME_CHARACTERS = 200
"""Maximum length of the name of a file in a message."""

MAX_IMAGES = 8
"""Maximum images in one call, all media in messages, and media inputs of a template: each can take 50,000 tokens."""

MAX_LINK_CHARACTERS = 8_192
"""Maximum length of a link to an image: presigned links with a session token have up to 4,000 characters."""

MAX_INPUTS = 32
"""Maximum inputs of a template."""

MAX_SCHEMA_DEPTH = 8
"""Maximum nesting of a template's `input_schema`."""

MAX_SCHEMA_STEPS = 100_000
"""Maximum work of validating inputs: values in an input (500 characters are one) times values in its schema."""

MAX_PATTERNS = 32
"""Maximum `pattern`s in a template's `input_schema`."""

MAX_PATTERN_BYTES = 10_000
"""Maximum text that patterns search in one call, counted once per pattern; a pattern can compile to 64 KB."""

MAX_ANSWER_TOKENS = 1_000_000
"""Maximum `max_tokens` and `reasoning.max_tokens`; the model's limit and the cap on costs are usually lower."""

MAX_TOOLS = 128
"""Maximum tools of a resource, or of a call: OpenAI accepts no more."""

MAX_TOOL_DESCRIPTION_CHARACTERS = 20_000
"""Maximum length of the description of a tool or a schema: those of coding agents have up to 10,000."""

MAX_STOPS = 4
"""Maximum stop sequences: providers accept no more."""

MAX_STOP_CHARACTERS = 200
"""Maximum length of a stop sequence."""

MAX_NAME_CHARACTERS = 120
"""Maximum length of the name of a resource or an API key."""

MAX_DESCRIPTION_CHARACTERS = 2_000
"""Maximum length of the description of a resource."""

MAX_BUDGETS = 100
"""Maximum budgets that one user can set."""

MAX_ID_CHARACTERS = 40
"""Maximum length of an id: no id is longer. A longer value may be a key, and is never looked up."""

MAX_USAGE_DAYS = 366
"""Maximum days of one usage report: a year, leap years included."""

MAX_USAGE_ROWS = 5_000
"""Maximum rows of one usage report: Lambda's 6 MB response has room for few more."""

MINUTE = 60
HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` calls in `seconds`."""

    limit: int
    seconds: int

    def exceeded(self, seconds_left: float) -> RateLimited:
        """The error for exceeding the rate; `seconds_left` until the next call is allowed."""
        wait = max(1, ceil(seconds_left))
        return RateLimited(
            f"{self.limit} calls in {self.seconds} seconds are allowed. Retry after {wait} seconds.",
            details={"limit": "rate", "most": self.limit, "seconds": self.seconds},
            retry_after=wait,
        )


RETRY_IN_FLIGHT = 2
"""Default wait in seconds for one of the caller's executions to end; the actual duration is unknown."""


def too_many_in_flight(most: int) -> RateLimited:
    """The error for exceeding `most` concurrent executions of a user."""
    return RateLimited(
        f"{most} of your executions are in progress, which is the maximum. Retry when one has ended.",
        details={"limit": "in_flight", "most": most},
        retry_after=RETRY_IN_FLIGHT,
    )
