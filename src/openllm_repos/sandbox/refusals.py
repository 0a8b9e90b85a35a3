"""What a host says to a push that it refuses, in its own words, looking at every commit that the push brings.

The texts are those of public reports: of the Hub for binary files, large files, LFS pointers without their object,
cards and missing rights; of GitHub for rulesets (GH013) and large files (GH001). This module runs inside the hook, so
it imports little.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from openllm_repos.sandbox.cards import problems
from openllm_repos.sandbox.pointer import Pointer

VARIABLE = "OPENLLM_SANDBOX_PUSH"  # of the environment: what a push is about, as JSON
_ZERO = "0" * 40
_BAR = "-" * 73
_HEAD = 8000  # bytes that git itself looks at to tell binary from text
_MIB = 1 << 20
_CARD_PAGES = {
    "space": "https://huggingface.co/docs/hub/spaces-config-reference",
    "model": "https://huggingface.co/docs/hub/model-cards#model-card-metadata",
    "dataset": "https://huggingface.co/docs/hub/datasets-cards#dataset-card-metadata",
}


@dataclass(frozen=True, slots=True)
class Update:
    """One ref of a push: what it held, what it shall hold (40 zeros for nothing), and its full name."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        """Whether the ref shall be gone."""
        return self.new == _ZERO


@dataclass(frozen=True, slots=True)
class Push:
    """A push, and what the host holds against it.

    Attributes:
        kind: of the repository: model, dataset, space or github.
        writable: whether the person may push here.
        store: folder of the large files.
        limit: bytes that a file outside LFS may have.
        rules: of a GitHub repository: ``{"ref": "refs/tags/v*", "rules": ["update", "deletion"]}``.
        updates: the refs.
    """

    kind: str
    writable: bool
    store: str
    limit: int
    rules: Sequence[Mapping[str, Any]]
    updates: Sequence[Update]

    @classmethod
    def read(cls, facts: Mapping[str, Any], lines: bytes) -> Self:
        """Return the push that a hook is told of.

        Args:
            facts: the other attributes, by name.
            lines: of standard input: old, new and ref.
        """
        asked = [line.split(" ", 2) for line in lines.decode("utf-8", "surrogateescape").split("\n") if line]
        return cls(updates=[Update(*fields) for fields in asked], **facts)


@dataclass(frozen=True, slots=True)
class _Blob:
    oid: str
    size: int
    path: str
    ref: str


def judge(push: Push) -> list[str]:
    """Return the lines of the refusal; none where the push is taken."""
    return _github(push) if push.kind == "github" else _hub(push)


def _hub(push: Push) -> list[str]:
    if not push.writable:
        return _framed("You are not authorized to push to this repo.", "Make sure that you are properly logged in.")
    head = _git("symbolic-ref", "HEAD").decode().strip()
    if any(update.deletes and update.ref == head for update in push.updates):
        return _framed("Your push was rejected for the following reasons:", f"Cannot delete {head}")
    return _content(push, list(_new_blobs(push.updates))) or _card(push)


def _content(push: Push, blobs: list[_Blob]) -> list[str]:
    """Judge the files of all new commits: too large, binary, or a pointer to nothing."""
    large = [blob for blob in blobs if blob.size > push.limit]
    if large:
        return _framed(
            "Your push was rejected because it contains files larger than 10 MiB.",
            "Please use https://git-lfs.github.com/ to store large files.",
            "See also: https://hf.co/docs/hub/repositories-getting-started#terminal",
            "",
            "Offending files:",
            *(f"  - {blob.path} (ref: {blob.ref})" for blob in large),
        )
    binary, dangling = [], []
    for blob, content in zip(blobs, _contents(blobs), strict=True):
        pointer = Pointer.read(content) if Pointer.may_be(blob.size) else None
        if pointer is not None:
            if not _stored(push.store, pointer.sha256):
                dangling.append(blob)
        elif b"\0" in content[:_HEAD]:
            binary.append(blob)
    if binary:
        return _framed(
            "Your push was rejected because it contains binary files.",
            "Please use https://huggingface.co/docs/hub/xet to store binary files.",
            "See also: https://huggingface.co/docs/hub/xet/using-xet-storage#git",
            "",
            "Offending files:",
            *(f"  - {blob.path} (ref: {blob.ref})" for blob in binary),
        )
    if dangling:
        return _framed(
            "Your push was rejected because an LFS pointer pointed to a file that does not exist.",
            "For instance, this can happen if you used git push --no-verify to push your changes.",
            "Offending file: ",
            *(f"- {blob.path}" for blob in dangling),
        )
    return []


def _card(push: Push) -> list[str]:
    """Judge README.md as it will be at the tip of each branch."""
    for update in push.updates:
        if update.deletes or not update.ref.startswith("refs/heads/"):
            continue
        code, readme = _ask("cat-file", "blob", f"{update.new}:README.md")
        errors = [] if code else problems(readme.decode("utf-8", "replace"), push.kind).errors
        if errors:
            return _framed(
                "Sorry, your push was rejected during YAML metadata verification:",
                *(f"- Error: {error}" for error in errors),
                _BAR,
                _BAR,
                "Please find the documentation at:",
                _CARD_PAGES[push.kind],
                "",
            )
    return []


def _github(push: Push) -> list[str]:
    for update in push.updates:
        broken = broken_rules(
            push.rules, update, lambda one: _ask("merge-base", "--is-ancestor", one.old, one.new)[0] == 0
        )
        if broken:
            said = [line for rule in broken for line in (f"- {rule}", "")]
            return [f"error: GH013: Repository rule violations found for {update.ref}.", "", *said]
    large = [blob for blob in _new_blobs(push.updates) if blob.size > push.limit]
    if not large:
        return []
    return [
        f"error: Trace: {_ZERO}{_ZERO[:24]}",
        "error: See https://gh.io/lfs for more information.",
        *(
            f"error: File {blob.path} is {blob.size / _MIB:.2f} MB; this exceeds GitHub's file size limit of 100.00 MB"
            for blob in large
        ),
        "error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.",
    ]


def broken_rules(rules: Sequence[Mapping[str, Any]], update: Update, forwards: Callable[[Update], bool]) -> list[str]:
    """Return what GitHub says of each rule that a change of a ref breaks.

    Args:
        rules: of the repository; each has a ``ref`` pattern and the kinds of its ``rules``.
        update: the change.
        forwards: called with the update where it matters: whether the new commit has the old one behind it.
    """
    what = "tag" if update.ref.startswith("refs/tags/") else "branch"
    said = []
    for rule in rules:
        if not fnmatchcase(update.ref, rule["ref"]):
            continue
        kinds = rule["rules"]
        if update.deletes:
            said += [f"Cannot delete this {what}"] if "deletion" in kinds else []
        elif update.old == _ZERO:
            said += ["Cannot create ref due to creations being restricted."] if "creation" in kinds else []
        elif "update" in kinds:
            said.append("Cannot update this protected ref.")
        elif "non_fast_forward" in kinds and not forwards(update):
            said.append(f"Cannot force-push to this {what}")
    return said


def _framed(*lines: str) -> list[str]:
    return [_BAR, *lines, _BAR]


def _stored(store: str, sha256: str) -> bool:
    return Path(store, sha256[:2], sha256[2:4], sha256).is_file()


def _new_blobs(updates: Sequence[Update]) -> Iterator[_Blob]:
    """Yield each blob that the push brings in, over every new commit, under the first path it is seen at."""
    seen: set[str] = set()
    for update in updates:
        if update.deletes:
            continue
        listed = _git("rev-list", "--objects", update.new, "--not", "--all").decode("utf-8", "surrogateescape")
        paths: dict[str, str] = {}
        for line in listed.split("\n"):
            oid, _, path = line.partition(" ")
            if path and oid not in seen:
                paths.setdefault(oid, path)
        seen |= paths.keys()
        asked = "".join(f"{oid}\n" for oid in paths).encode()
        form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
        for line in _git("cat-file", form, data=asked).decode().splitlines():
            oid, kind, size = line.split()
            if kind == "blob":
                yield _Blob(oid, int(size), paths[oid], update.ref)


def _contents(blobs: Sequence[_Blob]) -> Iterator[bytes]:
    """Yield the bytes of each blob, one at a time."""
    from tempfile import TemporaryFile

    with TemporaryFile() as asked:
        asked.write("".join(f"{blob.oid}\n" for blob in blobs).encode())
        asked.seek(0)
        with subprocess.Popen(["git", "cat-file", "--batch", "--buffer"], stdin=asked, stdout=subprocess.PIPE) as git:
            assert git.stdout is not None
            for blob in blobs:
                git.stdout.readline()
                content = git.stdout.read(blob.size)
                git.stdout.read(1)
                yield content


def _ask(*args: str, data: bytes = b"") -> tuple[int, bytes]:
    done = subprocess.run(["git", *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout


def _git(*args: str, data: bytes = b"") -> bytes:
    code, out = _ask(*args, data=data)
    if code:
        raise OSError(f"git {args[0]}: exit code {code}")
    return out
