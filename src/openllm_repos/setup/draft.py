"""A manifest as text, with the comments that a person who sees one for the first time needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.manifest.model import DEFAULT_BRANCH, Kind
from openllm_repos.names.path import FolderPath
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.setup.places import Place

_COLUMN = 53
_SOURCE = RepoName("main")
_SPACE = RepoName("space")
_PERSONS_OWN = frozenset({"origin", "upstream"})
_OTHER = re.compile(r"[^a-z0-9]+")
_HEADER = """\
# Which repositories belong together, and what goes from where to where. openllm-repos reads this file.
#   openllm-repos manifest check     every fault, with its place
#   openllm-repos sync --dry-run     what would go where; changes nothing
"""
_EXAMPLE = """\

# A map carries a folder of the source, with its history. For example:
# [[repos.{name}.map]]
# from = "core/src/*.py"
# to = "training/"
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One repo, as it is to be written.

    Attributes:
        name: its key.
        place: where it is.
        branch: the branch that counts.
        owned: what only it writes.
        maps: what it receives: pairs of `from` and `to`.
        submodule: where the source pins it, None where it does not.
        release: whether releases tag it.
    """

    name: RepoName
    place: Place
    branch: BranchName = DEFAULT_BRANCH
    owned: tuple[str, ...] = ()
    maps: tuple[tuple[str, str], ...] = ()
    submodule: FolderPath | None = None
    release: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest, as it is to be written.

    Attributes:
        project: the family's name.
        source: the repo where the code is written.
        others: all others, in order.
        version: the file of the source where the version stands, or an empty string.
        never: what may not leave the source.
        notes: what stands at the end as comments.
    """

    project: str
    source: Entry
    others: tuple[Entry, ...] = ()
    version: str = ""
    never: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the file. Whoever writes it parses it first: what is typed may not go together."""
        return _HEADER + "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "schema = 1"
        yield from ("", "[project]", f"name = {_quoted(self.project)}")
        if self.version:
            yield _said(f"version = {_quoted(self.version)}", "where the version stands")
        if self.never:
            yield _said(f"never = {_listed(self.never)}", "these never leave the source")
        yield from _entry(self.source, "here the code is written", 'role = "source"')
        for entry in self.others:
            yield from _entry(entry, "")
            yield from _maps(entry)
        for note in self.notes:
            yield from ("", *(f"# {line}" for line in note.split("\n")))


def _entry(entry: Entry, comment: str, *more: str) -> Iterator[str]:
    yield ""
    yield f"[repos.{_key(entry.name)}]"
    yield _said(f"{entry.place.key} = {_quoted(entry.place.text)}", comment)
    yield from more
    if entry.branch != DEFAULT_BRANCH:
        yield f"branch = {_quoted(entry.branch)}"
    if entry.submodule is not None:
        yield _said(f"submodule = {_quoted(entry.submodule)}", "the source pins a commit of it there")
    if not entry.release:
        yield _said("release = false", "other people's: releases do not tag it")
    if entry.owned:
        yield _said(f"owned = {_listed(entry.owned)}", "only this repo writes these")


def _maps(entry: Entry) -> Iterator[str]:
    for number, (source, to) in enumerate(entry.maps):
        yield ""
        yield f"[[repos.{_key(entry.name)}.map]]"
        yield _said(f"from = {_quoted(source)}", "" if number else _meaning(source))
        yield f"to = {_quoted(to)}"
    if not entry.maps and entry.place.kind is Kind.SPACE:
        yield _EXAMPLE.format(name=_key(entry.name)).rstrip("\n")


def _meaning(source: str) -> str:
    """Say what a pattern takes, and how one writes the other thing that may be meant."""
    folder, _, name = source.rpartition("/")
    if folder.endswith("**") or not name:
        return "this folder and all below it"
    if "*" not in name:
        return ""
    return f'this folder only; "{folder}/**/{name}": all below it too'


def _said(line: str, comment: str) -> str:
    return f"{line:{_COLUMN}}  # {comment}" if comment else line


def _key(name: str) -> str:
    return name if "." not in name else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, for text without control characters; every name of a manifest is such
    return json.dumps(text, ensure_ascii=False)


def _listed(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def entries(
    project: str, source: Place, branch: BranchName, space: Place | None, others: Sequence[Place]
) -> tuple[Entry, ...]:
    """Give each repo its name: ``main``, ``space``, and what is left of the others' ids without the project's name."""
    made = [Entry(_SOURCE, source, branch)]
    if space is not None:
        made.append(Entry(_SPACE, space))
    for place in others:
        made.append(Entry(_name(project, place, {entry.name for entry in made}), place))
    return tuple(made)


def name_for(draft: Draft, place: Place) -> RepoName:
    """Return a name for one more repo, as :func:`entries` gives them."""
    return _name(draft.project, place, {entry.name for entry in (draft.source, *draft.others)})


def _name(project: str, place: Place, taken: set[RepoName]) -> RepoName:
    last = place.text.rpartition("/")[2]
    short = _plain(last).removeprefix(_plain(project)).strip("-") or str(place.kind)
    try:
        base = RepoName(short[:60].rstrip("-"))
    except NameRefused:  # a device of Windows
        base = RepoName(f"{place.kind}-{short[:50]}")
    if base in _PERSONS_OWN:
        base = RepoName(f"{place.kind}-{base}")
    number = 1
    name = base
    while name in taken:
        number += 1
        name = RepoName(f"{base[:56].rstrip('-')}-{number}")
    return name


def _plain(text: str) -> str:
    return _OTHER.sub("-", text.lower()).strip("-")
