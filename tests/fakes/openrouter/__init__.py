"""FakeOpenRouter: a faithful double of OpenRouter on loopback, for tests and the local stack.

    with FakeOpenRouter() as fake:
        httpx.post(f"{fake.url}/chat/completions", headers={"Authorization": "Bearer sk-or-v1-anything1"}, json=…)

It serves GET /models (and /models/user, /models/count), /model/{author}/{slug},
/models/{author}/{slug}/endpoints, /key, /generation, POST /chat/completions and /embeddings, and for PKCE the page
/auth (at `auth_url`; who opens it has said yes) with POST /auth/keys.

**Keys.** Any `sk-or-v1-` with eight or more of `[A-Za-z0-9_-]` works, unless it is in `revoked_keys`.
A key that contains `revoked` gets 401, `broke` 402, `limited` 403, `lowbalance` 402 for an uncapped
call (or one above 10 114 tokens); `uncapped` shows no limit at /key, `untold` is answered with 500 there.

**Directives** stand in the last user message as `[[fake: error 429]]`, or come from `answer_next`:

    error <status> [variant] [seconds]  an HTTP error; seconds is its Retry-After
        400, 400 context, 401, 401 missing, 402, 403, 403 moderation, 403 region, 403 limit,
        403 guardrail, 404, 404 batch, 404 data-policy, 404 gone, 408, 413, 422, 429, 429 daily,
        500, 502, 503, 524 (HTML), 524 json, 529
    200-error         200 with `error` and no choices
    choice-error      200 whose choice carries an `error`; midstream-error is the same, for streams
    midstream-error   some text, then an error chunk, usage, [DONE]
    no-done           a stream that ends without [DONE]
    empty             content "" and finish_reason stop
    null-content      content null
    reasoning-only    reasoning, content "", finish_reason length
    refusal           content null and a refusal
    content-filter    content "", finish_reason content_filter
    tool-calls        a call of each tool sent, or of an invented one
    huge              more than 4 MB of text
    not-json          200 with HTML for a body
    cut-json          half of the body, properly ended
    truncated         half of the body, then the connection closes
    hang-up           the connection closes before any answer
    reset             a TCP reset before any answer
    drip              keep-alive lines without end
    drip-headers      header lines without end
    gzip              a gzip body, whatever was accepted
    shred             the right bytes, seven at a time
    slow <seconds>    silence first
    no-usage          no usage
    no-cost           usage without cost, as long ago
    price <usd>       usage.cost, whatever the catalog says
    weird             keys and enum values that nobody has heard of
    picture <name>    a file of tests/fakes/image_samples.py as an image, sound or hostile
    data <type> <MB>  an image of that claimed type and so many megabytes of noise
    link <url>        an image that is a link
    in-words          the first image in the text, too

Several may stand in one message. Models named `faulty/always-…` obey one on every call.
"""

from tests.fakes.openrouter.journal import Arrival
from tests.fakes.openrouter.server import FakeOpenRouter

__all__ = ["Arrival", "FakeOpenRouter"]
