"""Model ids that OpenRouter accepts and no catalog has: routing suffixes and presets, and what to write instead."""

NOT_LISTED = "is not in the catalog; GET /api/models lists the models"
"""Why a model cannot be used that the catalog does not have, as text to append to its id."""

_INSTEAD = {
    "nitro": "set provider.sort to throughput",
    "floor": "set provider.sort to price",
    "exacto": "set provider.sort to exacto",
    "online": "set web_search",
    "thinking": "set reasoning",
    "beta": "use the model as it is",
}
"""The setting of a resource that has the effect of each suffix."""

_PRESET = (
    "is a preset of OpenRouter, whose settings can change without notice; set the model and the settings of the preset "
    "on the resource"
)


def why_not_listed(model_id: str) -> str:
    """Why the catalog does not have the model, and what to write instead, as text.

    The text contains nothing of the id except a known suffix, since an unknown id can be a secret.
    """
    if is_preset(model_id):
        return _PRESET
    suffix = model_id.rpartition(":")[2].lower()
    if suffix not in _INSTEAD or ":" not in model_id:
        return NOT_LISTED
    return f"has the suffix :{suffix}, which is a routing option and no model; leave it out and {_INSTEAD[suffix]}"


def is_preset(model_id: str) -> bool:
    """Whether the id names a preset of an OpenRouter account, alone or after a model."""
    return "@preset/" in model_id.lower()
