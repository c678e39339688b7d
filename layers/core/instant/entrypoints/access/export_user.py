"""Export everything that is stored of a user into a ZIP file: `make export-user STACK=… USER=… TO=user.zip`."""

import argparse
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from instant.adapters.access.user_rows import UserRowsStore
from instant.entrypoints.access.user_arguments import opened, parser

_SECRET = {"key_hash", "ciphertext", "ciphertext_sha256", "key_sha256", "target", "live"}
"""Keys, and what identifies them: they authenticate the user, or are encrypted."""

_JSON = {"config", "prices"}
"""Attributes that hold JSON as text."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one JSON file for each table and the user's media; returns 1 if the stack cannot be used."""
    chosen = _parser().parse_args(arguments)
    found = opened(chosen.stack)
    if found is None:
        return 1
    export(chosen.user, found[0], chosen.to)
    sys.stdout.write(f"Everything of {chosen.user} was written to {chosen.to}\n")
    return 0


def export(user_id: str, store: UserRowsStore, path: Path) -> None:
    """Write the file; objects are read one at a time."""
    rows = store.of(user_id)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for table, items in rows.rows.items():
            shown = [shown_item(item) for item in items]
            file.writestr(f"{table.removesuffix('Table')}.json", json.dumps(shown, ensure_ascii=False, indent=1))
        for key in rows.objects:
            file.writestr(key, store.read(key))


def shown_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row as plain JSON, without secrets."""
    return {name: _plain(name, value) for name, value in item.items() if name not in _SECRET}


def _plain(name: str, value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content) if content.lstrip("-").isdigit() else content
        case "L":
            return [_plain("", each) for each in content]
        case "M":
            return {key: _plain(key, each) for key, each in content.items()}
        case "SS":
            return sorted(content)
        case "S" if name in _JSON:
            return json.loads(content)
        case "B":
            return None
    return content


def _parser() -> argparse.ArgumentParser:
    made = parser("export-user", __doc__)
    made.add_argument("--to", type=Path, required=True, help="the file to write")
    return made


if __name__ == "__main__":
    sys.exit(main())
