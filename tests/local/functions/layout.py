"""The location of the functions' code: the source tree, or the output of `sam build`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.local.plan import FunctionPlan


@dataclass(frozen=True)
class Launch:
    """The start parameters of a function's process: interpreter with options, import path, task root."""

    interpreter: tuple[str, ...]
    import_path: tuple[Path, ...]
    task_root: Path
    extra_environment: tuple[tuple[str, str], ...] = ()


class Layout(Protocol):
    """Returns the start parameters of the functions of a template."""

    def launch(self, function: FunctionPlan) -> Launch:
        """The start parameters of this function."""


@dataclass(frozen=True)
class Source:
    """Code in source roots, run by this interpreter; the first root is the task root."""

    roots: tuple[Path, ...]

    def launch(self, function: FunctionPlan) -> Launch:
        """The start parameters, which are the same for every function."""
        return Launch((sys.executable,), self.roots, self.roots[0])


@dataclass(frozen=True)
class Built:
    """Output of `sam build`, run without site-packages, so that modules missing from a layer cannot be imported."""

    build: Path

    def launch(self, function: FunctionPlan) -> Launch:
        """The start parameters; the import path is the function's directory and its layers, in the template's order."""
        root = self.build / function.name
        if not root.is_dir():
            raise ValueError(f"{root} is missing: run `make build` first")
        layers = tuple(self.build / layer / "python" for layer in function.layers)
        interpreter: str = getattr(sys, "_base_executable", sys.executable)
        return Launch((interpreter, "-S"), (root, *layers), root, (("PYTHONDONTWRITEBYTECODE", "1"),))
