"""One bare repository of a host: what the REST calls read and write is what git serves."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from openllm_repos.sandbox.exchange import Refused
from openllm_repos.sandbox.pointer import Pointer
from openllm_repos.sandbox.program import Program

ZERO = "0" * 40
_REVISION = re.compile(r"[\w.+@=,-]+(?:/[\w.+@=,-]+)*")
_SHORT_ID = re.compile(r"[0-9a-f]{7,40}")


class Kind(StrEnum):
    """What a repository holds; the Hub keeps each kind below a folder of its own."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"
    GITHUB = "github"

    @property
    def folder(self) -> str:
        """Its folder, and its name in the Hub's API: ``models``, ``datasets``, ``spaces``."""
        return self if self is Kind.GITHUB else f"{self}s"

    @property
    def prefix(self) -> str:
        """What stands before ``ns/name`` in URLs and in the names of resources."""
        return "" if self in {Kind.MODEL, Kind.GITHUB} else f"{self.folder}/"


@dataclass(slots=True)
class Facts:
    """What a host knows about a repository beside its content; kept as JSON in the repository's folder."""

    private: bool = False
    gated: str = ""
    granted: list[str] = field(default_factory=list)
    sdk: str = ""
    created: str = ""
    pulls: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    releases: list[dict[str, Any]] = field(default_factory=list)
    runtime: dict[str, Any] = field(default_factory=dict)
    builds: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree: `size` is the blob's own, a pointer's target is in `pointer`."""

    path: str
    oid: str
    size: int
    folder: bool
    pointer: Pointer | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does: files to write (path -> bytes), files and folders to remove."""

    files: Mapping[str, bytes]
    deleted: Sequence[str] = ()
    deleted_folders: Sequence[str] = ()


class Repo:
    """A bare repository and its facts.

    Args:
        git: how git is started.
        base: the host's folder of repositories.
        kind: what it holds.
        namespace: the user or organization.
        name: without ``.git``.
    """

    def __init__(self, git: Program, base: Path, kind: Kind, namespace: str, name: str) -> None:
        self.git = git
        self.kind = kind
        self.namespace = namespace
        self.name = name
        folder = base if kind is Kind.GITHUB else base / kind.folder
        self.path = folder / namespace / f"{name}.git"

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def resource(self) -> str:
        """Its name among all kinds: ``spaces/lemms/openllm``; a model's is ``lemms/x``."""
        return self.kind.prefix + self.id

    def init(self, facts: Facts) -> None:
        """Make the empty repository."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.git.run(self.path, "init", "-q", "--bare", "--template=", "-b", "main")
        facts.created = now()
        self.save(facts)

    def facts(self) -> Facts:
        """Return what the host knows about it."""
        return Facts(**json.loads((self.path / "sandbox.json").read_bytes()))

    def save(self, facts: Facts) -> None:
        """Keep new facts."""
        new = self.path / f"sandbox.{secrets.token_hex(4)}"
        new.write_text(json.dumps(asdict(facts)), encoding="utf-8")
        os.replace(new, self.path / "sandbox.json")

    def ask(self, *args: str, data: bytes = b"", extra: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Run git here; see `Program.ask`."""
        return self.git.ask(self.path, *args, data=data, extra=extra)

    def run(self, *args: str, data: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """Run git here; see `Program.run`."""
        return self.git.run(self.path, *args, data=data, extra=extra)

    def text(self, *args: str) -> str:
        """Run git here and return its output as text without the line end."""
        return self.run(*args).decode("utf-8", "replace").rstrip("\n")

    # ---- revisions -----------------------------------------------------------------------------------------------

    def object_at(self, name: str) -> str | None:
        """Return the object id that a full ref or other object name stands for, or None."""
        code, out = self.ask("rev-parse", "-q", "--verify", "--end-of-options", name)
        return None if code else out.decode().strip()

    def find_revision(self, revision: str) -> str | None:
        """Return the commit that a branch, a tag, a full ref or an id (7 digits or more) names, or None."""
        if not _REVISION.fullmatch(revision) or ".." in revision or "@{" in revision:
            return None
        names = [f"refs/heads/{revision}", f"refs/tags/{revision}"]
        names += [revision] if revision.startswith("refs/") or _SHORT_ID.fullmatch(revision) else []
        asked = "".join(f"{name}^{{commit}}\n" for name in names)
        for line in self.run("cat-file", "--batch-check", data=asked.encode()).decode().splitlines():
            oid, _, rest = line.partition(" ")
            if rest.startswith("commit "):
                return oid
        return None

    def resolve(self, revision: str) -> str:
        """Return the commit that a revision names.

        Raises:
            Refused: there is none (404 RevisionNotFound).
        """
        found = self.find_revision(revision)
        if found is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found

    def split_revision(self, text: str) -> tuple[str, str]:
        """Return commit and path of ``<revision>/<path>``, where both may have slashes (and percent signs).

        Raises:
            Refused: no beginning of it is a revision (404 RevisionNotFound).
        """
        head, _, rest = text.partition("/")
        commit = self.find_revision(unquote(head))
        if commit is not None:
            return commit, unquote(rest)
        parts = unquote(text).split("/")
        for cut in range(2, len(parts) + 1):
            commit = self.find_revision("/".join(parts[:cut]))
            if commit is not None:
                return commit, "/".join(parts[cut:])
        raise Refused(404, f"Invalid rev id: {parts[0]}", "RevisionNotFound")

    def refs(self, prefix: str) -> list[tuple[str, str]]:
        """Return (ref, commit) for each ref below `prefix`; annotated tags give the commit they name."""
        form = "--format=%(refname) %(objectname) %(*objectname)"
        lines = self.text("for-each-ref", form, prefix).splitlines()
        return [(fields[0], fields[-1]) for fields in (line.split() for line in lines)]

    def update(self, *lines: str) -> bool:
        """Change refs in one transaction (lines of ``git update-ref --stdin``); return whether it happened."""
        code, _ = self.ask("update-ref", "--stdin", data="".join(f"{line}\n" for line in lines).encode())
        return code == 0

    # ---- content -------------------------------------------------------------------------------------------------

    def tree(self, commit: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """Return the entries of a folder of a commit (of the whole tree by default), LFS pointers read."""
        options = ["-r", "-t"] if recursive else []
        place = ["--", f"{path.rstrip('/')}/"] if path else []
        out = self.run("ls-tree", "-l", "-z", "--full-tree", *options, commit, *place)
        found = []
        for item in out.split(b"\0")[:-1]:
            head, _, name = item.partition(b"\t")
            _, kind, oid, size = head.decode().split()
            number = int(size) if kind == "blob" else 0
            found.append(Entry(name.decode("utf-8", "surrogateescape"), oid, number, kind != "blob"))
        return self._with_pointers(found)

    def _with_pointers(self, entries: list[Entry]) -> list[Entry]:
        wanted = [entry.oid for entry in entries if Pointer.may_be(entry.size)]
        if not wanted:
            return entries
        pointers = {oid: Pointer.read(content) for oid, content in self.blobs(wanted)}
        return [
            Entry(one.path, one.oid, one.size, one.folder, pointers.get(one.oid)) if not one.folder else one
            for one in entries
        ]

    def blobs(self, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (id, bytes) of blobs."""
        asked = list(dict.fromkeys(oids))
        out = self.run("cat-file", "--batch", data="".join(f"{oid}\n" for oid in asked).encode())
        place = 0
        for oid in asked:
            end = out.index(b"\n", place)
            size = int(out[place:end].split()[2])
            yield oid, out[end + 1 : end + 1 + size]
            place = end + size + 2

    def read(self, commit: str, path: str) -> bytes | None:
        """Return the bytes of a file of a commit, or None."""
        code, out = self.ask("cat-file", "blob", f"{commit}:{path}")
        return None if code else out

    def tracked_by_lfs(self, commit: str, paths: Sequence[str]) -> set[str]:
        """Return those paths that the ``.gitattributes`` of a commit send through LFS."""
        if not paths:
            return set()
        with tempfile.TemporaryDirectory() as folder:
            extra = {"GIT_INDEX_FILE": f"{folder}/index", "GIT_WORK_TREE": folder}
            self.run("read-tree", commit, extra=extra)
            asked = b"".join(path.encode() + b"\0" for path in paths)
            out = self.run("check-attr", "--cached", "-z", "--stdin", "filter", data=asked, extra=extra)
        fields = out.decode().split("\0")[:-1]
        return {path for path, value in zip(fields[::3], fields[2::3], strict=True) if value == "lfs"}

    def ignored(self, rules: bytes, paths: Sequence[str]) -> set[str]:
        """Return those paths that a ``.gitignore`` with these rules leaves out."""
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, ".gitignore").write_bytes(rules)
            asked = b"".join(path.encode() + b"\0" for path in paths)
            work = {"GIT_WORK_TREE": folder}
            _, out = self.ask("check-ignore", "-z", "--stdin", "--no-index", data=asked, extra=work)
        return set(out.decode().split("\0")) - {""}

    def commit(
        self, change: Change, message: str, author: str, *, parent: str | None, ref: str, old: str | None
    ) -> str:
        """Write one commit and move a ref to it.

        Args:
            change: what it does to the parent's tree.
            message: the whole message.
            author: a user's name.
            parent: its parent, or None for a first commit.
            ref: the full name of the ref.
            old: what the ref holds now; None where there is none yet.

        Raises:
            Refused: a file to delete is not there (404), or somebody else moved the ref (412).
        """
        gone = self._deletions(change, parent)
        scratch = f"refs/sandbox/{secrets.token_hex(8)}"
        who = f"{author} <{author}@users.noreply.huggingface.co>"
        text = message.encode()
        parts = [b"feature done\ncommit %b\nmark :1\n" % scratch.encode()]
        parts.append(b"committer %b %d +0000\ndata %d\n%b\n" % (who.encode(), time.time(), len(text), text))
        parts += [b"from %b\n" % parent.encode()] if parent else []
        parts += [b"D %b\n" % _quoted(path) for path in gone]
        parts += [b"M 100644 inline %b\ndata %d\n%b\n" % (_quoted(p), len(b), b) for p, b in change.files.items()]
        parts.append(b"get-mark :1\ndone\n")
        new = self.run("fast-import", "--quiet", "--date-format=raw", data=b"".join(parts)).decode().strip()
        if not self.update(f"update {ref} {new} {old or ZERO}", f"delete {scratch}"):
            self.update(f"delete {scratch}")
            raise Refused(412, "The branch was updated since you opened this page. Please refresh and try again.")
        return new

    def _deletions(self, change: Change, parent: str | None) -> list[str]:
        if not change.deleted and not change.deleted_folders:
            return []
        have = {entry.path for entry in self.tree(parent, recursive=True)} if parent else set()
        for path in change.deleted:
            if path not in have:
                raise Refused(404, f'A file with this name doesn\'t exist: "{path}"', "EntryNotFound")
        folders = tuple(f"{path.strip('/')}/" for path in change.deleted_folders)
        return [*change.deleted, *sorted(path for path in have if path.startswith(folders))]


def _quoted(path: str) -> bytes:
    """Return a path as fast-import reads it in any case."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")


def now() -> str:
    """Return the time as the hosts write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def iso(date: str) -> str:
    """Return git's own strict date as the hosts write it."""
    return datetime.fromisoformat(date).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
