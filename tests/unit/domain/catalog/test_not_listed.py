"""An id with a routing suffix, or of a preset, is rejected with the setting to use instead."""

import pytest

from instant.domain.catalog.not_listed import NOT_LISTED, is_preset, why_not_listed


@pytest.mark.parametrize(
    ("model_id", "setting"),
    [
        ("a/b:nitro", "provider.sort to throughput"),
        ("a/b:NITRO", "provider.sort to throughput"),
        ("a/b:floor", "provider.sort to price"),
        ("a/b:exacto", "provider.sort to exacto"),
        ("a/b:free:online", "web_search"),
        ("a/b:thinking", "reasoning"),
    ],
)
def test_routing_suffix_names_the_setting_to_use(model_id: str, setting: str) -> None:
    message = why_not_listed(model_id)
    assert setting in message
    assert f":{model_id.rpartition(':')[2].lower()}" in message
    assert "a/b" not in message, "an unknown id may be a secret"


@pytest.mark.parametrize("model_id", ["@preset/mine", "a/b@preset/mine", "A/B@PRESET/mine"])
def test_preset_names_the_settings_to_use(model_id: str) -> None:
    assert is_preset(model_id)
    assert "preset" in why_not_listed(model_id)
    assert "mine" not in why_not_listed(model_id)


@pytest.mark.parametrize("model_id", ["a/b", "a/b:free", "a/b:nonsense", "a/b:", "nitro", "a/nitro", "sk-or-v1-x"])
def test_other_ids_are_only_not_in_the_catalog(model_id: str) -> None:
    assert why_not_listed(model_id) == NOT_LISTED
