"""Where the functions' code is: the source tree, or what `sam build` made of it."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.local.plan import FunctionPlan


@dataclass(frozen=True)
class Launch:
    """How a function's process starts: the interpreter with its options, the import path, the task root."""

    interpreter: tuple[str, ...]
    import_path: tuple[Path, ...]
    task_root: Path
    extra_environment: tuple[tuple[str, str], ...] = ()


class Layout(Protocol):
    """Knows how to start any function of a template."""

    def launch(self, function: FunctionPlan) -> Launch:
        """How to start this function."""


@dataclass(frozen=True)
class Source:
    """Code imported from source roots by this interpreter; the first root is the task root."""

    roots: tuple[Path, ...]

    def launch(self, function: FunctionPlan) -> Launch:
        """The same for every function."""
        return Launch((sys.executable,), self.roots, self.roots[0])


@dataclass(frozen=True)
class Built:
    """Code as `sam build` leaves it, under the bare interpreter: what a layer lacks is missing here, too."""

    build: Path

    def launch(self, function: FunctionPlan) -> Launch:
        """The function's own directory, then its layers in the template's order."""
        root = self.build / function.name
        if not root.is_dir():
            raise ValueError(f"{root} is missing: run `make build` first")
        layers = tuple(self.build / layer / "python" for layer in function.layers)
        interpreter: str = getattr(sys, "_base_executable", sys.executable)
        return Launch((interpreter, "-S"), (root, *layers), root, (("PYTHONDONTWRITEBYTECODE", "1"),))
