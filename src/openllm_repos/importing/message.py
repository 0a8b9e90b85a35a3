"""The messages of imported commits: the author's own, with the line that says where it came from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openllm_repos.family.imports import IMPORTED_FROM, imported_from
from openllm_repos.family.state import HELD_AT, MAPS, OPEN, PROJECTED_COMMIT, SOURCE_COMMIT, SOURCE_REPO
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId

# What a later sync or import would take for its own words.
_KEYS = (SOURCE_REPO, SOURCE_COMMIT, PROJECTED_COMMIT, MAPS, OPEN, HELD_AT, IMPORTED_FROM)
_OURS = re.compile(f"^(?:{'|'.join(_KEYS)}):".encode(), re.MULTILINE)
_TRAILER = re.compile(rb"[A-Za-z0-9-]+[ \t]*:")
_CO_AUTHOR = b"Co-authored-by: "
_BY_GIT = (b"Signed-off-by: ", b"(cherry picked from commit ")


@dataclass(frozen=True, slots=True)
class Older:
    """A commit of the target that another one stands for: its id, its author as git writes one, its subject."""

    id: ObjectId
    author: bytes
    subject: bytes

    @classmethod
    def of(cls, commit: ObjectId, content: bytes) -> Older:
        """Return a commit with this content, in UTF-8."""
        head, _, message = content.partition(b"\n\n")
        return cls(commit, author_of(head), b" ".join(message.strip().partition(b"\n\n")[0].split()))


def author_of(head: bytes) -> bytes:
    """Return name and address of the author that a commit's headers name."""
    line = next(line for line in head.split(b"\n") if line.startswith(b"author "))
    return line[7:].rpartition(b">")[0] + b">"


def imported_message(
    message: bytes, target: Repo, origin: ObjectId, older: Sequence[Older] = (), author: bytes = b""
) -> bytes:
    """Return an imported commit's message.

    Args:
        message: the target's commit's own, in UTF-8.
        target: the target.
        origin: that commit.
        older: others that it stands for, the oldest first.
        author: who stands as its author already.
    """
    said = _OURS.sub(lambda found: b"> " + found[0], message)
    if older:
        rows = b"\n".join(b"* %b %b" % (one.id[:10].encode(), one.subject) for one in older)
        said = said.rstrip() + b"\n\nWith what did not apply without it:\n\n" + rows + b"\n"
    lines = [imported_from(target, commit).encode() for commit in (*(one.id for one in older), origin)]
    others = dict.fromkeys(one.author for one in older if one.author != author)
    return _with_trailers(said, b"".join(b"%b\n" % line for line in (*lines, *(_CO_AUTHOR + one for one in others))))


def joined_message(target: Repo, sync: ObjectId, source_commit: ObjectId) -> bytes:
    """Return the message, without trailers, for what became of a sync that met the target's own changes.

    Args:
        target: the target.
        sync: the sync's commit there.
        source_commit: what it brought.
    """
    return (
        f"Join {source_commit[:10]} with what {target.name} changed\n\n"
        f"As {sync[:10]}, a commit that a sync made there, has it.\n"
    ).encode()


def _with_trailers(message: bytes, lines: bytes) -> bytes:
    """Put lines at the end of a message: into its block of trailers, or as a paragraph of their own."""
    body = message.rstrip(b"\n\r\t ")
    if not body:
        return lines
    paragraphs = re.split(rb"\n[ \t\r]*\n", body)
    last = paragraphs[-1].split(b"\n")
    glued = len(paragraphs) > 1 and _is_block(last)
    return body + (b"\n" if glued else b"\n\n") + lines


def _is_block(lines: Sequence[bytes]) -> bool:
    """Whether git takes a last paragraph for trailers: all of it, or a quarter where git itself wrote one of them."""
    trailers = others = 0
    by_git = False
    for line in lines:
        if line.startswith(_BY_GIT):
            trailers, by_git = trailers + 1, True
        elif _TRAILER.match(line):
            trailers += 1
        elif not (line[:1] in {b" ", b"\t"} and trailers):
            others += 1
    return trailers > 0 and (not others or (by_git and trailers * 3 >= others))
