"""The template sets exactly the environment variables that a function's settings model reads."""

import ast

from instant import settings
from tests.architecture.project import Function, relative


def test_function_variables_match_its_settings_model(function: Function) -> None:
    fields = settings_of(function).model_fields
    assert set(function.environment) == {field.upper() for field in fields}


def test_settings_models_are_frozen(function: Function) -> None:
    assert settings_of(function).model_config.get("frozen") is True


def settings_of(function: Function) -> type[settings.Settings]:
    """The only settings model that the function's app.py uses."""
    tree = ast.parse(function.app.read_text())
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    models = sorted(name for name in named if name.endswith("Settings") and hasattr(settings, name))
    assert len(models) == 1, f"{relative(function.app)} should use one settings model, not {models}"
    model: type[settings.Settings] = getattr(settings, models[0])
    return model
