"""The published JSON Schema of locks."""

from __future__ import annotations

from pathlib import Path

_NAME = "release.schema.json"


def lock_schema_text() -> str:
    """Return the JSON Schema (2020-12) of a lock as text."""
    package = Path(__file__).parent.parent
    packed = package / _NAME
    # An editable install runs from the tree, where the schema stands beside that of the manifest.
    return (packed if packed.is_file() else package.parent.parent / "manifest" / _NAME).read_text(encoding="utf-8")
