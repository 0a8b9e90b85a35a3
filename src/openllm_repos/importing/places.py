"""Maps read backwards: where in the source a file of a target comes from, or would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from openllm_repos.errors import ConflictError
from openllm_repos.importing.model import Ambiguous, Place
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.pattern import Pattern
from openllm_repos.plan import FileChange
from openllm_repos.projection.trees import GITLINK_MODE
from openllm_repos.text import show_path

Entry = tuple[bytes, bytes]
"""Mode and hex id of a file."""


def source_path(a_map: Map, path: bytes) -> bytes | None:
    """Return where a map takes a path of the target from, or None where it cannot write that path.

    Args:
        a_map: the map.
        path: of the target, as git stores it.
    """
    if not a_map.output.matches(path):
        return None
    folder = a_map.to.encode()
    below = path[len(folder) + 1 :] if folder else path
    if a_map.rename is not None:
        name = a_map.source.literal_name
        assert name is not None  # only a single file is renamed
        below = name.encode()
    base = a_map.source.base.encode()
    found = base + b"/" + below if base else below
    return found if a_map.target_path(found) == path else None


@dataclass(frozen=True, slots=True)
class Places:
    """Where changes of one target go in the source.

    Attributes:
        target: the target.
        never: the paths of the source that may not reach any target.
        preferred: numbers of maps that new files go through where several could carry them, the first that can.
        chosen: for a path of the target, the number of its map.
    """

    target: Repo
    never: tuple[Pattern, ...]
    preferred: Sequence[int] = ()
    chosen: Mapping[bytes, int] = field(default_factory=dict)

    @classmethod
    def of(cls, manifest: Manifest, target: Repo, preferred: Sequence[int], chosen: Mapping[bytes, int]) -> Places:
        """Return the places of a target of a manifest."""
        return cls(target, manifest.project.never, preferred, chosen)

    def candidates(self, path: bytes) -> tuple[Place, ...]:
        """Return the places that a path of the target could have, each once, in the order of the maps."""
        found: dict[bytes, Place] = {}
        for number, a_map in enumerate(self.target.maps):
            source = source_path(a_map, path)
            if source is not None:
                found.setdefault(source, Place(number, f"{a_map.source.text} -> {a_map.written_to}", source))
        return tuple(found.values())

    def carry(
        self, changes: Sequence[FileChange], there: Callable[[bytes], Entry | None]
    ) -> Mapping[bytes, Entry | None]:
        """Translate changes of the target's mapped part into changes of the source's tree.

        Args:
            changes: what changes in the target.
            there: tells what file the source has at one of its paths.

        Returns:
            Path of the source -> its new file, None where it goes.

        Raises:
            Ambiguous: a new file could go to several places.
            ConflictError: a change that the source cannot hold, or may not.
        """
        result: dict[bytes, Entry | None] = {}
        for change in changes:
            self._require_carried(change)
            for path in self._places_of(change, there):
                if result.setdefault(path, change.new) != change.new:
                    raise ConflictError(
                        f"{self.target.name}: {show_path(path)} of the source is written to several places there,"
                        " and they no longer agree.",
                        hint=f"Make {show_path(change.path)} and its twin equal in {self.target.name} first.",
                    )
        return result

    def _places_of(self, change: FileChange, there: Callable[[bytes], Entry | None]) -> Sequence[bytes]:
        """Return where the source has the file that is changed; else where a new one goes."""
        candidates = self.candidates(change.path)
        present = [place.path for place in candidates if change.old is not None and there(place.path) is not None]
        if present or change.new is None:
            return present
        allowed = tuple(place for place in candidates if not self._never(place.path))
        if not allowed:
            raise ConflictError(
                f"{self.target.name}: {show_path(change.path)} would become {show_path(candidates[0].path)}, which may"
                " never leave the source (never).",
                hint=f"Rename it in {self.target.name}, or narrow the pattern in 'never'.",
            )
        if len(allowed) == 1:
            return [allowed[0].path]
        wanted = [self.chosen[change.path]] if change.path in self.chosen else self.preferred
        for number in wanted:
            for place in allowed:
                if place.number == number:
                    return [place.path]
        raise Ambiguous(self.target, change.path, allowed)

    def _never(self, path: bytes) -> bool:
        return any(pattern.protects(path) for pattern in self.never)

    def _require_carried(self, change: FileChange) -> None:
        """Refuse what no sync would carry the other way."""
        if change.new is None:
            return
        if change.new[0] == GITLINK_MODE:
            problem = "is a submodule, which cannot be carried into another repository"
        elif change.path.rpartition(b"/")[2] == b".gitmodules" or any(
            part.lower() == b".git" for part in change.path.split(b"/")
        ):
            problem = "has a name that git itself uses"
        else:
            return
        raise ConflictError(
            f"{self.target.name}: {show_path(change.path)} {problem}.",
            hint=f"Take it away in {self.target.name} first.",
        )
