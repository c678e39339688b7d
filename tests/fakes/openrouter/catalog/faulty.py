"""Models that always fail in the same way, so that a saved resource can be seen failing."""

from tests.fakes.openrouter.catalog.build import Json, model

_FAULTS = {
    "faulty/always-429": "error 429",
    "faulty/always-503": "error 503",
    "faulty/always-moderated": "error 403 moderation",
    "faulty/always-empty": "empty",
    "faulty/always-200-error": "200-error",
    "faulty/always-midstream": "midstream-error",
}


def rows() -> list[Json]:
    """Fresh rows of all of them."""
    return [
        model(model_id, f"Faulty: {wish.title()}", f"Fails every time: {wish}.", "0.1/0.2")
        for model_id, wish in _FAULTS.items()
    ]


def directives_of(row: Json) -> tuple[str, ...]:
    """The directives that every call of this model obeys."""
    wish = _FAULTS.get(row["id"])
    return (wish,) if wish else ()
