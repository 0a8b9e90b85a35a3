"""One map of a target, and the digest of all of them: the part of a manifest that a projection needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.names.path import FolderPath
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.plain import quoted


@dataclass(frozen=True, slots=True)
class Map:
    """One map: what it takes from the source and where that goes in the target.

    Attributes:
        source: the paths of the source that it takes.
        to: the folder of the target that `source.base` becomes; the empty string is the top.
        rename: the new name of a single file, or None.
        output: the paths of the target that it can write.
        written_to: the `to` of the manifest as it was typed.
    """

    source: Pattern
    to: FolderPath
    rename: str | None
    output: Pattern
    written_to: str

    @classmethod
    def of(cls, source: str, to: str) -> Map:
        """Read a map as people write it.

        Args:
            source: the `from`: a pattern in the source.
            to: a folder (``training/``, ``training``, ``.``), or the same pattern in another folder
                (``training/*.py``), or for a single file also a file: its new place and name.

        Raises:
            NameRefused: either is refused by its type, or `to` is none of the three.
        """
        return cls.into(Pattern.parse(source), to)

    @classmethod
    def into(cls, source: Pattern, to: str) -> Map:
        """Like :meth:`of`, with the pattern already parsed."""
        if not to:
            raise NameRefused("'to' must not be empty; write '.' for the top of the target")
        wild = any(char in to for char in "*?[")
        if to in (".", "./") or (to.endswith("/") and not wild):
            folder, name = FolderPath(to), None
        elif source.is_single_file:
            folder, name = _file_place(to)
        elif wild:
            same = Pattern.parse(to, whole=True)
            if same.rest != source.rest:
                rest = "/".join(part.text for part in source.rest)
                raise NameRefused(
                    f"{quoted(to)} is not the pattern of 'from' in another folder;"
                    f" write {quoted(same.base.path_to(rest))}, or just the folder"
                )
            folder, name = same.base, None
        else:
            folder, name = FolderPath(to), None
        rename = None if name == source.literal_name else name
        rest = rename or "/".join(part.text for part in source.rest)
        output = Pattern.parse(folder.path_to(rest), whole=True)
        return cls(source, folder, rename, output, to)

    def without_subfolders(self) -> Map | None:
        """Return the map that takes the same of its folder's own files and nothing below; None where there is none."""
        deep, *files = self.source.rest
        if not deep.is_globstar or len(files) > 1:
            return None
        try:
            return Map.of(self.source.base.path_to(files[0].text if files else "*"), self.written_to)
        except NameRefused:
            return None

    def target_path(self, source_path: bytes) -> bytes | None:
        """Return where a path of the source (bytes, as git stores it) goes in the target, or None if not taken."""
        if not self.source.matches(source_path):
            return None
        base = self.source.base
        below = self.rename.encode() if self.rename else source_path[len(base.encode()) + 1 if base else 0 :]
        return self.to.encode() + b"/" + below if self.to else below

    def source_path(self, target_path: bytes) -> bytes | None:
        """Return where it takes a path of the target (as git stores it) from, or None where it cannot write that."""
        if not self.output.matches(target_path):
            return None
        below = target_path[len(self.to.encode()) + 1 if self.to else 0 :]
        if self.rename is not None:
            assert self.source.literal_name is not None  # only a single file is renamed
            below = self.source.literal_name.encode()
        base = self.source.base.encode()
        return base + b"/" + below if base else below


@dataclass(frozen=True, slots=True)
class Publication:
    """Artifacts of the clone's work tree, not of its history, that `publish` brings to a repo on the Hub.

    Attributes:
        place: what it takes of the work tree, and where that goes in the repo.
        allow: files of the work tree that look like secrets and are none.
    """

    place: Map
    allow: tuple[Pattern, ...] = ()


def _file_place(to: str) -> tuple[FolderPath, str]:
    place = Pattern.parse(to, whole=True)
    if place.literal_name is None:
        raise NameRefused(f"{quoted(to)} holds a wildcard, but 'from' is a single file; write a folder or a file name")
    return place.base, place.literal_name


def maps_digest(maps: Sequence[Map]) -> str:
    """Return the SHA-256 (hex) of what a target's maps do: the same for all spellings and orders of the same maps."""
    from hashlib import sha256

    lines = sorted(f"{entry.source.canonical}\0{entry.output.canonical}\n" for entry in maps)
    return sha256(("openllm-repos maps 1\n" + "".join(lines)).encode()).hexdigest()
