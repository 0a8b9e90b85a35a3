"""What a commit says of its release: the version in its version files, and the lock. Read from objects alone.

A work tree may be dirty, on another branch, or not there at all; what counts is the commit that the tag names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any

from openllm_repos.errors import ManifestError, NameRefused
from openllm_repos.git.objects import ObjectReader
from openllm_repos.hooks.gate import Locked, Stated
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl

MANIFEST = b"repos.toml"
_DUNDER = re.compile(r"""^__version__(?:\s*:[^=\n]+)?\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)^---\s*$", re.MULTILINE | re.DOTALL)
_FRONT_KEY = re.compile(r"""^version:\s*["']?([^"'\s#]+)""", re.MULTILINE)


def manifest_at(reader: ObjectReader, commit: ObjectId) -> Manifest | None:
    """Return the manifest that a commit holds; None where it has none that is sound."""
    content = read_file(reader, commit, MANIFEST)
    try:
        return None if content is None else Manifest.parse(content, origin=f"{commit[:10]}:repos.toml")
    except ManifestError:
        return None


def read_file(reader: ObjectReader, commit: ObjectId, path: bytes) -> bytes | None:
    """Return a file of a commit, None where it has none of that name."""
    found = reader.find(commit.encode() + b":" + path)
    return reader.read(found[0]).data if found is not None and found[1] == b"blob" else None


def stated_versions(reader: ObjectReader, commit: ObjectId, places: Sequence[str], version: str) -> tuple[Stated, ...]:
    """Return what the version files of a commit say, each held against the version that a tag stands for."""
    return tuple(_stated(reader, commit, place, version) for place in places)


def _stated(reader: ObjectReader, commit: ObjectId, place: str, version: str) -> Stated:
    content = read_file(reader, commit, place.encode())
    if content is None:
        return Stated(place, None, agrees=False)
    said = _version_in(reader, commit, place, content.decode("utf-8", "replace"))
    return Stated(place, said, agrees=said is not None and _same(said, version))


def _version_in(reader: ObjectReader, commit: ObjectId, place: str, text: str) -> str | None:
    try:
        if place.endswith(".toml"):
            return _version_in_toml(reader, commit, tomllib.loads(text))
        if place.endswith(".json"):
            import json

            said = json.loads(text).get("version")
            return said if isinstance(said, str) else None
    except (ValueError, AttributeError, TypeError):
        return None
    if place.endswith(".py"):
        found = _DUNDER.search(text)
    elif place.endswith(".md"):
        front = _FRONT_MATTER.match(text)
        found = _FRONT_KEY.search(front[1]) if front else None
    else:
        return text.strip() or None
    return found[1] if found else None


def _version_in_toml(reader: ObjectReader, commit: ObjectId, document: dict[str, Any]) -> str | None:
    project, tool = document.get("project", {}), document.get("tool", {})
    for said in (project.get("version"), tool.get("poetry", {}).get("version"), document.get("version")):
        if isinstance(said, str):
            return said
    path = tool.get("hatch", {}).get("version", {}).get("path")
    if "version" in project.get("dynamic", []) and isinstance(path, str):
        content = read_file(reader, commit, path.encode())
        found = None if content is None else _DUNDER.search(content.decode("utf-8", "replace"))
        return found[1] if found else None
    return None


def _same(one: str, other: str) -> bool:
    """Whether two spellings are one version: 1.0.0rc1 is 1.0.0-rc.1."""
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return False


def lock_path(tag: str) -> str:
    """Return where the lock of a release stands in the source."""
    return f"manifest/releases/{tag}.toml"


def lock_in_tree(reader: ObjectReader, commit: ObjectId, tag: str) -> tuple[Locked | None, str]:
    """Return the lock that a commit holds, and why it cannot be read where it is there but is none."""
    path = lock_path(tag)
    content = read_file(reader, commit, path.encode())
    return (None, "") if content is None else _lock(content.decode("utf-8", "replace"), f"{path} of {commit[:10]}")


def lock_in_message(message: str, tag: str) -> Locked | None:
    """Return the lock that the message of an annotated tag carries, or None."""
    start = re.search(r"^schema = ", message, re.MULTILINE)
    if start is None:
        return None
    text = message[start.start() :].partition("-----BEGIN ")[0]
    return _lock(text, f"the message of {tag}")[0]


def _lock(text: str, place: str) -> tuple[Locked | None, str]:
    try:
        document = tomllib.loads(text)
        commits: dict[str, ObjectId] = {}
        urls: dict[str, str] = {}
        for name, repo in document["repos"].items():
            if "commit" in repo:
                commits[RepoName(name)], urls[name] = ObjectId(repo["commit"]), RepoUrl(repo["url"])
        return Locked(str(document["tag"]), str(document["version"]), commits, urls, place), ""
    except (ValueError, KeyError, TypeError, AttributeError, NameRefused):
        return None, f"{place} is not a lock that can be read"
