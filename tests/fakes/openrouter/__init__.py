"""FakeOpenRouter: a fake of the OpenRouter API on 127.0.0.1, for tests and the local stack.

    with FakeOpenRouter() as fake:
        httpx.post(f"{fake.url}/chat/completions", headers={"Authorization": "Bearer sk-or-v1-anything1"}, json=…)

It serves GET /models (and /models/user, /models/count), /model/{author}/{slug},
/models/{author}/{slug}/endpoints, /key, /generation, POST /chat/completions and /embeddings, and for PKCE the page
/auth (at `auth_url`; opening it grants consent) with POST /auth/keys.

**Keys.** Any `sk-or-v1-` followed by at least eight of `[A-Za-z0-9_-]` is valid, unless it is in `revoked_keys`.
A key that contains `revoked` gets 401, `broke` 402, `limited` 403, `lowbalance` 402 for a call without a
token limit (or with one above 10,114 tokens); `uncapped` has no limit at /key, `untold` gets 500 there.

**Directives** are read from the last user message, as `[[fake: error 429]]`, or set by `answer_next`:

    error <status> [variant] [seconds]  an HTTP error; seconds is its Retry-After
        400, 400 context, 401, 401 missing, 402, 403, 403 moderation, 403 region, 403 limit,
        403 guardrail, 404, 404 batch, 404 data-policy, 404 gone, 408, 413, 422, 429, 429 daily,
        500, 502, 503, 524 (HTML), 524 json, 529
    200-error         200 with `error` and no choices
    choice-error      200 whose choice has an `error`; midstream-error is the same, for streams
    midstream-error   half of the text, then an error chunk with usage, [DONE]
    no-done           a stream that ends without [DONE]
    empty             content "" and finish_reason stop
    null-content      content null
    reasoning-only    reasoning, content "", finish_reason length
    refusal           content null and a refusal
    content-filter    content "", finish_reason content_filter
    tool-calls        a call of each tool in the request, or of a default tool, until its result is there
    huge              more than 4 MB of text
    not-json          200 with an HTML body
    cut-json          half of the body, in a complete HTTP response
    truncated         half of the body, then the connection closes
    hang-up           the connection closes before any response
    reset             a TCP reset before any response
    drip              endless keep-alive lines
    drip-headers      endless header lines
    gzip              a gzip body, regardless of Accept-Encoding
    shred             the body in pieces of seven bytes
    crlf              line ends of two characters
    plain-json        one JSON body although a stream was requested
    deltas <n>        a stream whose texts come n characters at a time
    show-key [where]  the caller's key in the text, in the `reasoning`, or in the `arguments` of a tool call
    slow <seconds>    a delay before the response
    no-usage          no usage
    no-cost           usage without cost
    price <usd>       the value of usage.cost, regardless of the catalog
    weird             undocumented keys and enum values
    picture <name>    a file of tests/fakes/image_samples.py as an image, valid or invalid
    data <type> <MB>  noise of this many megabytes as an image of the declared type
    link <url>        an image that is a link
    in-words          the first image also in the text

One message can contain several directives. The texts of POST /embeddings can contain those about errors, transport,
usage and price. Models named `faulty/always-…` apply one to every call.
"""

from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.server import FakeOpenRouter

__all__ = ["Arrival", "FakeOpenRouter"]
