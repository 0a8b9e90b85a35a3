"""The published JSON Schema of the manifest, which editors complete from."""

from __future__ import annotations

from pathlib import Path

_NAME = "repos.schema.json"


def schema_text() -> str:
    """Return the JSON Schema (2020-12) of `repos.toml` as text."""
    package = Path(__file__).parent.parent
    packed = package / _NAME
    # An editable install runs from the tree, where the schema stands beside the manifests that test it.
    return (packed if packed.is_file() else package.parent.parent / "manifest" / _NAME).read_text(encoding="utf-8")
