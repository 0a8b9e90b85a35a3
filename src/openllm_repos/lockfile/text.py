"""Locks as text: stable, for people to read and to compare, and read back into frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openllm_repos.errors import ConflictError, NameRefused
from openllm_repos.lockfile.model import SCHEMA, Lock, LockedRepo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.names.plain import require_plain
from openllm_repos.names.ref import BranchName, RepoName, TagName
from openllm_repos.names.url import RepoId, RepoUrl

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+-]*")
_ROLES = ("source", "target", "member")
_KINDS = ("github", "space", "model", "dataset", "git")
_LARGEST = 1 << 20
BEGIN = "----- openllm-repos lock -----"
END = "----- end of lock -----"


class LockUnsound(ConflictError):
    """A lock cannot be read, or contradicts itself.

    Args:
        place: where it stands, for people.
        why: what is wrong with it.
    """

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            f"The lock in {place} is not sound: {why}.",
            hint="git log -p -- manifest/releases  # a release writes a lock once: who changed it?",
        )


def format_lock(lock: Lock) -> str:
    """Return a lock as TOML: the same lock is the same text, always."""
    return "\n".join(_lines(lock)) + "\n"


def _lines(lock: Lock) -> Iterator[str]:
    yield f"# {lock.project} {lock.version}: the commit of every repo of the family. Written by a release;"
    yield "# nobody edits it."
    yield f"schema = {SCHEMA}"
    yield f"project = {_text(lock.project)}"
    yield f"version = {_text(lock.version)}"
    yield f"tag = {_text(lock.tag)}"
    yield f"manifest = {_text(lock.manifest)}"
    for repo in lock.repos:
        yield ""
        yield f"[repos.{repo.name if '.' not in repo.name else _text(repo.name)}]"
        yield f"role = {_text(repo.role)}"
        yield f"kind = {_text(repo.kind)}"
        if repo.repo_id is not None:
            yield f"id = {_text(repo.repo_id)}"
        yield f"url = {_text(repo.url)}"
        yield f"branch = {_text(repo.branch)}"
        yield f"tag = {_text(repo.tag)}"
        yield f"commit = {_text(repo.commit)}"
        if repo.tree is not None:
            yield f"tree = {_text(repo.tree)}"
        if repo.source is not None:
            yield f"source = {_text(repo.source)}"
        if repo.submodule is not None:
            yield f"submodule = {_text(repo.submodule)}"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_lock(text: str | bytes, place: str) -> Lock:
    """Read a lock.

    Args:
        text: TOML.
        place: where it stands, for messages.

    Raises:
        LockUnsound: it is no lock, is newer than this program, or contradicts itself.
    """
    import tomllib

    try:
        content = text if isinstance(text, str) else text.decode()
        if len(content) > _LARGEST:
            raise LockUnsound(place, "it is larger than 1 MiB")
        document = tomllib.loads(content)
        return _lock(document, place)
    except NameRefused as refused:
        raise LockUnsound(place, refused.message) from None
    except (ValueError, RecursionError):
        raise LockUnsound(place, "it is not TOML that can be read") from None


def _lock(document: Mapping[str, Any], place: str) -> Lock:
    schema = document.get("schema")
    if type(schema) is not int or schema < 1:
        raise LockUnsound(place, "it does not say schema = 1")
    if schema > SCHEMA:
        raise LockUnsound(place, f"its schema {schema} is newer than this openllm-repos, which reads {SCHEMA}")
    fields = _Fields(document, place, "")
    tables = document.get("repos")
    if not isinstance(tables, dict):
        raise LockUnsound(place, "it has no repos")
    project = fields.text("project")
    require_plain(project, "the name of a project")
    version, digest = fields.text("version"), fields.text("manifest")
    if _VERSION.fullmatch(version) is None:
        raise LockUnsound(place, "version is not one")
    if _DIGEST.fullmatch(digest) is None:
        raise LockUnsound(place, "manifest is not the digest of one")
    repos = tuple(_repo(name, table, place) for name, table in tables.items())
    lock = Lock(project, version, TagName(fields.text("tag")), digest, repos)
    if [repo.role for repo in repos].count("source") != 1 or repos[0].role != "source":
        raise LockUnsound(place, "its first repo, and no other, must be the source")
    if lock.source.tag != lock.tag:
        raise LockUnsound(place, f"the source's tag is {lock.source.tag}, not {lock.tag}")
    return lock


def _repo(name: str, table: object, place: str) -> LockedRepo:
    if not isinstance(table, dict):
        raise LockUnsound(place, "a repo is no table")
    fields = _Fields(table, place, f"repos.{RepoName(name)}.")
    role, kind = fields.text("role"), fields.text("kind")
    if role not in _ROLES or kind not in _KINDS:
        raise LockUnsound(place, f"repos.{name} has a role or kind that is not known")
    if (kind == "git") == ("id" in table):
        raise LockUnsound(place, f"repos.{name} needs an id unless its kind is git")
    return LockedRepo(
        name=RepoName(name),
        role=role,
        kind=kind,
        repo_id=RepoId(fields.text("id")) if "id" in table else None,
        url=RepoUrl(fields.text("url")),
        branch=BranchName(fields.text("branch")),
        tag=TagName(fields.text("tag")),
        commit=ObjectId(fields.text("commit")),
        tree=ObjectId(fields.text("tree")) if "tree" in table else None,
        source=ObjectId(fields.text("source")) if "source" in table else None,
        submodule=FolderPath(fields.text("submodule")) if "submodule" in table else None,
    )


class _Fields:
    """The keys of one table of a lock."""

    def __init__(self, table: Mapping[str, Any], place: str, within: str) -> None:
        self._table = table
        self._place = place
        self._within = within

    def text(self, key: str) -> str:
        """Return a key that must be there and be text."""
        value = self._table.get(key)
        if not isinstance(value, str):
            raise LockUnsound(self._place, f"{self._within}{key} is missing, or not text")
        return value


def lock_in_message(message: str, place: str) -> Lock | None:
    """Return the lock that the message of an annotated tag carries, None where it carries none.

    Raises:
        LockUnsound: it carries one that cannot be read.
    """
    _, begin, rest = message.partition(f"\n{BEGIN}\n")
    text, end, _ = rest.partition(f"{END}\n")
    return parse_lock(text, place) if begin and end else None


def message_with_lock(headline: str, lock: Lock) -> str:
    """Return the message of a tag that carries a lock."""
    return f"{headline}\n\n{BEGIN}\n{format_lock(lock)}{END}\n"
