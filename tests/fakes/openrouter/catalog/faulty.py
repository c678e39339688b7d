"""Models that always fail in the same way, for tests of resources that fail."""

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
    """New rows of all faulty models."""
    return [
        model(model_id, f"Faulty: {fault.title()}", f"Fails every time: {fault}.", "0.1/0.2")
        for model_id, fault in _FAULTS.items()
    ]


def directives_of(row: Json) -> tuple[str, ...]:
    """The directives that apply to every call of this model."""
    fault = _FAULTS.get(row["id"])
    return (fault,) if fault else ()
