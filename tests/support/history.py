"""Exact histories, many commits at once: any graph, any tree, any bytes, through one `git fast-import`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.support.repositories import Repository


@dataclass(frozen=True, slots=True)
class Entry:
    """A tree entry that is not a plain file: `mode` as git writes it, `data` the bytes (of a gitlink: the id)."""

    mode: str
    data: bytes


def executable(data: bytes) -> Entry:
    """Return an executable file."""
    return Entry("100755", data)


def symlink(to: bytes) -> Entry:
    """Return a symbolic link."""
    return Entry("120000", to)


def gitlink(commit: str) -> Entry:
    """Return a submodule's commit."""
    return Entry("160000", commit.encode())


@dataclass(frozen=True, slots=True)
class Spec:
    """One commit to be.

    `parents` are positions of earlier commits in the list. `changes` maps a path to new content, or None to remove it
    (a folder too), relative to the first parent; with `whole` they are the whole tree. `author` and `committer` are
    `name <email> seconds zone` as a commit object has them; without them, the date follows from the position.
    """

    parents: Sequence[int] = ()
    changes: Mapping[str | bytes, str | bytes | Entry | None] = field(default_factory=dict)
    message: str | bytes = ""
    whole: bool = False
    author: bytes | None = None
    committer: bytes | None = None
    encoding: bytes | None = None


def _quoted(path: str | bytes) -> bytes:
    raw = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def _data(content: str | bytes) -> bytes:
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    return b"data %d\n%s\n" % (len(raw), raw)


def _change(path: str | bytes, content: str | bytes | Entry | None) -> bytes:
    if content is None:
        return b"D %s\n" % _quoted(path)
    if not isinstance(content, Entry):
        return b"M 100644 inline %s\n%s" % (_quoted(path), _data(content))
    if content.mode == "160000":
        return b"M 160000 %s %s\n" % (content.data, _quoted(path))
    return b"M %s inline %s\n%s" % (content.mode.encode(), _quoted(path), _data(content.data))


def _commit(position: int, spec: Spec, ref: bytes) -> Iterable[bytes]:
    person = b"Test User <test@example.org> %d +0000" % (1_700_000_000 + 60 * position)
    if not spec.parents:
        yield b"reset %s\n\n" % ref
    yield b"commit %s\nmark :%d\n" % (ref, position + 1)
    yield b"author %s\ncommitter %s\n" % (spec.author or person, spec.committer or person)
    if spec.encoding is not None:
        yield b"encoding %s\n" % spec.encoding
    yield _data(spec.message or f"commit {position}\n")
    for index, parent in enumerate(spec.parents):
        yield b"%s :%d\n" % (b"merge" if index else b"from", parent + 1)
    if spec.whole:
        yield b"deleteall\n"
    for path, content in spec.changes.items():
        yield _change(path, content)
    yield b"\n"


def make_history(repo: Repository, specs: Sequence[Spec], *, refs: Mapping[str, int] | None = None) -> list[str]:
    """Write the commits of `specs` in one go and return their ids, in the order given.

    `refs` maps full ref names to positions (default: `refs/heads/main` at the last commit). The work tree and the
    index are not touched.
    """
    wanted = refs or {"refs/heads/main": len(specs) - 1}
    work = next(iter(wanted)).encode()
    stream = [part for position, spec in enumerate(specs) for part in _commit(position, spec, work)]
    stream += [b"get-mark :%d\n" % (position + 1) for position in range(len(specs))]
    stream += [b"reset %s\nfrom :%d\n\n" % (name.encode(), position + 1) for name, position in wanted.items()]
    options = ("--quiet", "--force", "--date-format=raw", "--done")
    done = repo.run("fast-import", *options, data=b"".join(stream) + b"done\n")
    return done.out.split()
