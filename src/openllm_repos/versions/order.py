"""Versions compared and raised: those of Python packages (PEP 440) and of Semantic Versioning, together."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from openllm_repos.errors import NameRefused, UsageError
from openllm_repos.names.plain import quoted

if TYPE_CHECKING:
    from packaging.version import Version

    Order = tuple["Version", int, tuple[tuple[int, int, str], ...], str]

_NUMBER = r"(?:0|[1-9][0-9]*)"
_SEMVER = re.compile(
    rf"(?P<release>{_NUMBER}\.{_NUMBER}\.{_NUMBER})"
    rf"(?:-(?P<pre>(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_LETTERS = {"a": "alpha", "b": "beta", "rc": "rc"}


class Part(StrEnum):
    """What of a version is raised."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"
    RC = "rc"


def require_version(text: str) -> str:
    """Return `text` if it is a version of Python packages or of Semantic Versioning.

    Raises:
        NameRefused: it is neither, or has something around it (``v1.0``).
    """
    if not is_version(text):
        if text[:1] == "v" and is_version(text[1:]):
            raise NameRefused(f"{quoted(text)} is not a version but a tag; write {text[1:]}")
        raise NameRefused(f"{quoted(text)} is not a version; write one such as 1.2.0, 1.2.0rc1 or 1.2.0-rc.1")
    return text


def is_version(text: str) -> bool:
    """Whether a text is a version and nothing else."""
    return text[:1].isdigit() and text == text.strip() and (_is_semver(text) or _python(text) is not None)


def same(one: str, other: str) -> bool:
    """Whether two spellings are one version (1.0.0rc1 and 1.0.0-rc.1; 1.0 and 1.0.0)."""
    if one == other:
        return True
    first, second = _python(one), _python(other)
    return first is not None and first == second


def order(text: str) -> Order:
    """Return what sorts versions: 1.9 before 1.10, 1.0rc1 before 1.0, and what is no version before all.

    Python packages order them. A pre-release that only Semantic Versioning knows (1.0.0-next.2) comes after
    1.0.0.dev0 and before 1.0.0a1; among each other such are ordered by its own rule.
    """
    from packaging.version import Version

    known = _python(text)
    if known is not None:
        return known, 0, (), text
    found = _SEMVER.fullmatch(text)
    if found is None or found["pre"] is None:
        return Version("0.dev0"), -1, (), text
    names = tuple((0, int(name), "") if name.isdigit() else (1, 0, name) for name in found["pre"].split("."))
    return Version(f"{found['release']}.dev0"), 1, names, text


def newest(versions: Sequence[str]) -> str | None:
    """Return the highest of some versions, or None where there are none."""
    return max(versions, key=order, default=None)


def is_prerelease(text: str) -> bool:
    """Whether a version comes before the one that it is named for."""
    known = _python(text)
    return known.is_prerelease if known is not None else True


def spelt_for_npm(text: str) -> str:
    """Return a version as Semantic Versioning writes it: 1.2.0rc1 as 1.2.0-rc.1. What it cannot say stays as it is."""
    known = None if _is_semver(text) else _python(text)
    if known is None or known.epoch or known.post is not None or len(known.release) > 3:
        return text
    names = [] if known.pre is None else [_LETTERS[known.pre[0]], str(known.pre[1])]
    names += [] if known.dev is None else ["dev", str(known.dev)]
    before = f"-{'.'.join(names)}" if names else ""
    return _joined(known.release) + before + (f"+{known.local}" if known.local else "")


def bumped(text: str, part: Part, *, rc: bool = False) -> str:
    """Return the version that follows.

    A pre-release leads up to its own version: 1.3.0rc2 becomes 1.3.0 by `patch` and by `minor`, and 2.0.0 by `major`.
    The spelling is kept: 1.3.0-rc.1 is followed by 1.3.0-rc.2.

    Args:
        text: the version as it is.
        part: what is raised. ``rc`` counts the release candidates of one version; from a version that is out it goes to
            the first one of the next patch.
        rc: whether the first release candidate of the new version is meant.

    Raises:
        UsageError: the version as it is cannot be counted on.
    """
    known = _python(text)
    if known is None:
        raise UsageError(
            f"{quoted(text)} is not a version that can be raised by rule.", hint="openllm-repos version set 1.2.3"
        )
    major, minor, patch = (*known.release, 0, 0)[:3]
    dashed = "-" in text
    if part is Part.RC:
        if known.pre is not None and known.pre[0] == "rc" and known.dev is None:
            return _candidate((major, minor, patch), known.pre[1] + 1, dashed=dashed)
        if not known.is_prerelease:
            patch += 1
        return _candidate((major, minor, patch), 1, dashed=dashed)
    due = known.is_prerelease
    if part is Part.PATCH:
        release = (major, minor, patch if due else patch + 1)
    elif part is Part.MINOR:
        release = (major, minor if due and patch == 0 else minor + 1, 0)
    else:
        release = (major if due and minor == patch == 0 else major + 1, 0, 0)
    return _candidate(release, 1, dashed=dashed) if rc else _joined(release)


def _candidate(release: tuple[int, int, int], number: int, *, dashed: bool) -> str:
    return _joined(release) + (f"-rc.{number}" if dashed else f"rc{number}")


def _joined(release: Sequence[int]) -> str:
    return ".".join(map(str, (*release, 0, 0)[: max(3, len(release))]))


def _is_semver(text: str) -> bool:
    return _SEMVER.fullmatch(text) is not None


@functools.cache
def _python(text: str) -> Version | None:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None
