"""`python -m tests.openapi` writes the document with fresh answers; `--check` fails when the one there is stale."""

import json
import sys

from instant.entrypoints.openapi import PLACE
from tests.integration.app import deployed_app
from tests.openapi.answers import put_answers, without_answers
from tests.openapi.document import document


def write() -> None:
    """Make the document anew."""
    made = document()
    with deployed_app() as app:
        put_answers(made, app)
    PLACE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def is_current() -> bool:
    """Whether the document that is there says what the code says; answers are checked by the tests."""
    return bool(without_answers(json.loads(PLACE.read_text())) == document())


if __name__ == "__main__":
    if "--check" not in sys.argv:
        write()
    elif not is_current():
        sys.exit("layers/core/instant/openapi.json is stale; run: make openapi")
