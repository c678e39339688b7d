"""Every model hides its input in errors, because errors can be logged and the input can be a key."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from pydantic import BaseModel

import instant


def test_models_hide_input_in_errors() -> None:
    for module in pkgutil.walk_packages(instant.__path__, "instant."):
        import_module(module.name)
    models = [model for model in subclasses(BaseModel) if model.__module__.startswith("instant.")]
    assert len(models) > 20
    assert [model.__qualname__ for model in models if not model.model_config.get("hide_input_in_errors")] == []


def subclasses(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """All direct and indirect subclasses."""
    for model in root.__subclasses__():
        yield model
        yield from subclasses(model)
