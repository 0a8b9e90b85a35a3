"""The card (README.md) of a repo is the person's; one marked block in it is ours and says where the files come from."""

from __future__ import annotations

from openllm_repos.errors import ConflictError
from openllm_repos.family.artifacts import CARD

_BEGIN = b"<!-- openllm-repos: published -->"
_END = b"<!-- openllm-repos: end -->"
_LINE_ENDS = b"\r\n"


def without_block(card: bytes) -> bytes:
    """Return a card as the person wrote it: what stands before and after our block, ended by one line end.

    Raises:
        ConflictError: the block's marks are damaged.
    """
    start, stop = _block(card) or (len(card), len(card))
    before, after = card[:start].rstrip(_LINE_ENDS), card[stop:].strip(_LINE_ENDS)
    end = _line_end(card)
    parts = [part for part in (before, after) if part]
    return (end * 2).join(parts) + end if parts else b""


def with_block(card: bytes, lines: list[str]) -> bytes:
    """Return a card with our block: in its place where it has one, else at the end.

    Args:
        card: the card.
        lines: what the block says, as Markdown.

    Raises:
        ConflictError: the block's marks are damaged.
    """
    end, found = _line_end(card), _block(card)
    block = end.join((_BEGIN, *(line.encode() for line in lines), _END))
    if found is not None:
        return card[: found[0]] + block + card[found[1] :]
    before = card.rstrip(_LINE_ENDS)
    return (before + end * 2 if before else b"") + block + end


def _block(card: bytes) -> tuple[int, int] | None:
    """Return where our block starts and ends."""
    starts, ends = card.count(_BEGIN), card.count(_END)
    if not starts and not ends:
        return None
    start, end = card.find(_BEGIN), card.find(_END)
    if (starts, ends) != (1, 1) or end < start:
        raise ConflictError(
            f"The marks of the block that openllm-repos writes into {CARD} are damaged.",
            hint=f"Delete every line with {_BEGIN.decode()} and {_END.decode()}, then run this again.",
        )
    return start, end + len(_END)


def _line_end(card: bytes) -> bytes:
    return b"\r\n" if b"\r\n" in card else b"\n"
