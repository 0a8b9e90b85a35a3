"""The tree of a commit as a place of version files and of a manifest: what a work tree holds besides does not count."""

from __future__ import annotations

from openllm_repos.errors import ManifestError
from openllm_repos.git.objects import ObjectReader
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.versions.stated import ReadFile


def files_of(reader: ObjectReader, commit: ObjectId) -> ReadFile:
    """Return what reads files of a commit; nothing else may use `reader` at the same time."""

    def read(path: str) -> bytes | None:
        found = reader.find(f"{commit}:{path}".encode())
        return reader.read(found[0]).data if found is not None and found[1] == b"blob" else None

    return read


def manifest_at(reader: ObjectReader, commit: ObjectId, path: str = "repos.toml") -> Manifest | None:
    """Return the manifest that a commit holds; None where it has none that is sound."""
    content = files_of(reader, commit)(path)
    try:
        return None if content is None else Manifest.parse(content, f"{commit[:10]}:{path}")
    except ManifestError:
        return None
