"""Twins: two paths of a repository that Windows or macOS take for one, where case or the coding of accents differs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openllm_repos.text import show


@dataclass(frozen=True, slots=True)
class Twins:
    """Two paths; as text, a clause about them.

    Attributes:
        path: the one that comes.
        other: the one that is there, or comes as well.
    """

    path: str
    other: str

    def __str__(self) -> str:
        """Name both so that the eye can tell them apart."""
        names, how = (show(self.path), show(self.other)), "in upper and lower case"
        if _composed(self.path) == _composed(self.other):
            names, how = (ascii(self.path)[1:-1], ascii(self.other)[1:-1]), "in how accents are coded"
        return f"{names[0]} and {names[1]} differ only {how}, and are one path on Windows or macOS"


def folded(path: str) -> str:
    """Return what twins have in common."""
    if path.isascii():
        return path.lower()
    return _composed(unicodedata.normalize("NFD", path).casefold())


def find_twins(comes: Iterable[str], there: Iterable[str]) -> Iterator[Twins]:
    """Yield each path that comes and has a twin: a file, or a folder in the place of a file.

    Twins of which both are there already are nobody's business.

    Args:
        comes: paths of files that were not there before.
        there: paths of files that stay; they may have those that come among them.
    """
    new = sorted(set(comes))
    files, folders = dict[str, str](), dict[str, str]()
    for path in (*sorted(set(there).difference(new)), *new):
        files.setdefault(folded(path), path)
        folders.update((folded(folder), folder) for folder in _folders(path))
    for path in new:
        others = [files[folded(path)], folders.get(folded(path), path)]
        if (other := next((other for other in others if other != path), None)) is not None:
            yield Twins(path, other)
        for folder in _folders(path):
            if (other := files.get(folded(folder), folder)) != folder:
                yield Twins(path, other)


def _folders(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
