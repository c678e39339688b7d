"""`python -m tests.openapi` writes the document with recorded responses; `--check` fails if the file is stale."""

import json
import sys

from instant.entrypoints.openapi import PLACE
from tests.integration.app import deployed_app
from tests.openapi.answers import put_answers, without_answers
from tests.openapi.document import document


def write() -> None:
    """Generate the document and write it."""
    generated = document()
    with deployed_app() as app:
        put_answers(generated, app)
    PLACE.write_text(json.dumps(generated, indent=1, ensure_ascii=False) + "\n")


def is_current() -> bool:
    """Whether the file matches the code, without the example responses, which the tests check."""
    return bool(without_answers(json.loads(PLACE.read_text())) == document())


if __name__ == "__main__":
    if "--check" not in sys.argv:
        write()
    elif not is_current():
        sys.exit("layers/core/instant/openapi.json is stale; run: make openapi")
