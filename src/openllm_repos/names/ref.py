"""Names of refs: branches, tags, the repos of a manifest, and the form of release tags."""

from __future__ import annotations

import re
from typing import Self

from openllm_repos.errors import NameRefused
from openllm_repos.names.plain import quoted, require_plain

_LONGEST_REF = 200
_LONGEST_REPO = 64
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+@#=,-]*")
_REF_TRAP = re.compile(r"\.\.|//|/[.-]|\.lock(?:/|$)|[./]$", re.IGNORECASE)
_SPECIAL = frozenset({"HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"})
_REPO = re.compile(r"[a-z0-9][a-z0-9._-]*")
_REPO_TRAP = re.compile(r"\.\.|\.lock$|\.$|^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+-]*")
_PLACE = "{version}"


def _require_ref(text: str, what: str) -> None:
    require_plain(text, what)
    if len(text) > _LONGEST_REF:
        raise NameRefused(f"{quoted(text)} is too long; {what} has at most {_LONGEST_REF} characters")
    if _OBJECT_ID.fullmatch(text):
        raise NameRefused(f"{quoted(text)} looks like an object id; {what} must not")
    if text.startswith("refs/"):
        raise NameRefused(f"{quoted(text)} starts with 'refs/'; write {what} without it")
    if text.upper() in _SPECIAL:
        raise NameRefused(f"{quoted(text)} is a name that git keeps for itself; {what} must not be one")
    if _REF.fullmatch(text) is None or _REF_TRAP.search(text):
        raise NameRefused(
            f"{quoted(text)} is not {what}; allowed are letters, digits and ._/+@#=,- with no '..', no '//', no part"
            " that starts with '.' or '-', and no '.', '/' or '.lock' at the end"
        )


def _require_key(text: str, what: str) -> None:
    require_plain(text, what)
    if len(text) > _LONGEST_REPO or _REPO.fullmatch(text) is None or _REPO_TRAP.search(text):
        raise NameRefused(
            f"{quoted(text)} is not {what}; allowed are at most {_LONGEST_REPO} of a-z, 0-9 and ._-, a"
            " letter or digit first, no '..', no '.' or '.lock' at the end, no device name of Windows"
        )


class BranchName(str):
    """The short name of a branch (``main``, ``release/1.2``), a part of what ``git check-ref-format --branch`` accepts.

    Raises:
        NameRefused: the text is not a branch name that is safe to hand to git.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        _require_ref(text, "a branch name")
        return super().__new__(cls, text)

    @property
    def ref(self) -> str:
        """The full name of the ref: ``refs/heads/<name>``."""
        return f"refs/heads/{self}"


class TagName(str):
    """The short name of a tag (``v1.2.0``); the rules are those of a branch name.

    Raises:
        NameRefused: the text is not a tag name that is safe to hand to git.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        _require_ref(text, "a tag name")
        return super().__new__(cls, text)

    @property
    def ref(self) -> str:
        """The full name of the ref: ``refs/tags/<name>``."""
        return f"refs/tags/{self}"


class RepoName(str):
    """The key of a repo in the manifest: the name of its remote and a part of the refs that we keep.

    Raises:
        NameRefused: the text is not 1 to 64 characters of ``a-z0-9._-``, or git or Windows would trip over it.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        _require_key(text, "the name of a repo")
        return super().__new__(cls, text)


class GroupName(str):
    """The name of a group of repos; the rules are those of a repo's name.

    Raises:
        NameRefused: the text is no such name.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        _require_key(text, "the name of a group")
        return super().__new__(cls, text)


class TagTemplate(str):
    """The form of release tags: a tag name with ``{version}`` in it once, such as ``v{version}``.

    Raises:
        NameRefused: ``{version}`` is not there exactly once, or the rest is not fit for a tag.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        if text.count(_PLACE) != 1:
            raise NameRefused(f"{quoted(text)} does not hold '{_PLACE}' exactly once; write it as in 'v{_PLACE}'")
        try:
            TagName(text.replace(_PLACE, "0"))
        except NameRefused:
            raise NameRefused(
                f"{quoted(text)} does not make tag names; beside '{_PLACE}' allowed are letters, digits and ._/+@#=,-"
            ) from None
        return super().__new__(cls, text)

    def tag_for(self, version: str) -> TagName:
        """Return the tag of a version (``1.2.0`` -> ``v1.2.0``).

        Raises:
            NameRefused: a version starts with a digit and holds only letters, digits and ``._+-``.
        """
        if _VERSION.fullmatch(version) is None:
            raise NameRefused(
                f"{quoted(version)} is not a version; one starts with a digit and holds only letters, digits and ._+-"
            )
        return TagName(self.replace(_PLACE, version))

    def version_of(self, tag: str) -> str | None:
        """Return the version that `tag` (short name) stands for, or None if it is not a release tag of this form."""
        before, _, after = self.partition(_PLACE)
        version = tag.removeprefix(before).removesuffix(after)
        try:
            return version if self.tag_for(version) == tag else None
        except NameRefused:
            return None
