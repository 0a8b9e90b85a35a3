"""The messages of imported commits: the author's own, with the line that says where it came from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from openllm_repos.family.imports import IMPORTED_FROM, imported_from
from openllm_repos.family.state import HELD_AT, MAPS, OPEN, PROJECTED_COMMIT, SOURCE_COMMIT, SOURCE_REPO
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId

# What a later sync or import would take for its own words.
_KEYS = (SOURCE_REPO, SOURCE_COMMIT, PROJECTED_COMMIT, MAPS, OPEN, HELD_AT, IMPORTED_FROM)
_OURS = re.compile(f"^(?:{'|'.join(_KEYS)}):".encode(), re.MULTILINE)
_TRAILER = re.compile(rb"[A-Za-z0-9-]+[ \t]*:")
_BY_GIT = (b"Signed-off-by: ", b"(cherry picked from commit ")


def imported_message(message: bytes, target: Repo, origins: Sequence[ObjectId]) -> bytes:
    """Return an imported commit's message.

    Args:
        message: the target's commit's own, in UTF-8.
        target: the target.
        origins: the commits that it was made of, the oldest first: mostly one.
    """
    said = _OURS.sub(lambda found: b"> " + found[0], message)
    lines = "".join(f"{imported_from(target, origin)}\n" for origin in origins)
    return _with_trailers(said, lines.encode())


def merged_message(target: Repo, sync: ObjectId, source_commit: ObjectId, older: Sequence[ObjectId]) -> bytes:
    """Return the message for what became of a sync in the target where it met the target's own changes.

    Args:
        target: the target.
        sync: the sync's commit there.
        source_commit: what it brought.
        older: commits before it that it was made of, too.
    """
    said = (
        f"Join {source_commit[:10]} with what {target.name} changed\n\n"
        f"As {sync[:10]}, a commit that a sync made there, has it.\n"
    )
    return imported_message(said.encode(), target, [*older, sync])


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
