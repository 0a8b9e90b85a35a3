"""From nothing to a working manifest: what was asked for, what is proposed for the rest, and writing it down."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem, NameRefused, UsageError
from openllm_repos.family.host import MADE_BY_THE_HUB
from openllm_repos.family.source import empty_maps
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.peek import Tree
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Kind, Manifest
from openllm_repos.names.overlap import intersect
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.plain import require_plain
from openllm_repos.names.ref import RepoName
from openllm_repos.setup.draft import Draft, entries
from openllm_repos.setup.inherited import with_submodules, with_subtrees
from openllm_repos.setup.places import Place
from openllm_repos.setup.propose import already_there, propose_maps, propose_never, propose_owned
from openllm_repos.setup.survey import Seen, Survey


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for; None is "propose something".

    Attributes:
        source: where the code is written.
        space: the Space that runs part of it.
        others: models and datasets.
        maps: what goes to the Space: pairs of `from` and `to`.
        never: what may not leave the source.
        owned: what only the Space writes.
        submodules: the paths of the submodules that belong to the family.
    """

    source: Place | None = None
    space: Place | None = None
    others: tuple[Place, ...] = ()
    maps: tuple[tuple[str, str], ...] | None = None
    never: tuple[str, ...] | None = None
    owned: tuple[str, ...] | None = None
    submodules: tuple[str, ...] | None = None


def begin(found: Survey, wishes: Wishes) -> Draft:
    """Return a draft with every repo in it, and nothing about what goes where.

    Raises:
        UsageError: nothing says where the source is.
    """
    source = wishes.source or found.place
    if source is None:
        raise UsageError(
            "Where is the source? This clone has no remote origin that says it.",
            hint="Name it with --github owner/name; on another host, with 'git remote add origin URL'.",
        )
    project = _project_name(source)
    made = entries(project, source, found.branch, wishes.space, wishes.others)
    draft = Draft(project, made[0], made[1:], version=found.version)
    taken = [one for one in found.submodules if wishes.submodules is None or one.path in wishes.submodules]
    return with_submodules(draft, taken)


def _project_name(source: Place) -> str:
    name = source.text.rstrip("/").rpartition("/")[2].removesuffix(".git")
    with contextlib.suppress(NameRefused):
        require_plain(name, "a name")
        return name
    return "project"


def complete(draft: Draft, found: Survey, wishes: Wishes, seen: Mapping[RepoName, Seen]) -> Draft:
    """Return the draft with what goes where: as it was asked for, and as it is proposed where nothing was asked for.

    Args:
        draft: the repos.
        found: what the clone says.
        wishes: what was asked for.
        seen: what a look at the repos showed, by their names; without those that nobody looked at.

    Raises:
        UsageError: a map cannot be read as one.
    """
    draft = with_subtrees(draft, found.subtrees)
    space = next((entry for entry in draft.others if entry.place.kind is Kind.SPACE), None)
    kept = [Map.of(*written) for entry in draft.others for written in entry.maps]
    if space is None:
        if wishes.maps or wishes.owned:
            raise UsageError(
                "--map and --owned say what a Space gets, but no Space is named.", hint="Add --space owner/name."
            )
        private = tuple(text for text in propose_never(found.files) if not _reads(kept, text))
        return replace(draft, never=private if wishes.never is None else wishes.never)
    there = seen[space.name].files if space.name in seen else Tree()
    proposed = space.maps or propose_maps(found.files, there)
    written = proposed if wishes.maps is None else wishes.maps
    maps = [Map.of(source, to) for source, to in written]
    never = wishes.never
    if never is None:
        never = tuple(text for text in propose_never(found.files) if not _reads([*maps, *kept], text))
    owned = propose_owned(there, maps) if wishes.owned is None else wishes.owned
    filled = replace(space, owned=owned, maps=written)
    return replace(draft, never=never, others=tuple(filled if entry is space else entry for entry in draft.others))


def _reads(maps: Sequence[Map], text: str) -> bool:
    """Whether a map that was asked for reads what would be proposed to be kept back."""
    pattern = Pattern.parse(text, protective=True)
    return any(intersect(pattern, a_map.source) for a_map in maps)


def to_adopt(manifest: Manifest, seen: Mapping[RepoName, Seen]) -> dict[str, int]:
    """Return the targets that have files where maps write, and how many: they were filled by copying."""
    there = {
        target: already_there(seen[target.name].files, target.maps)
        for target in manifest.targets
        if target.name in seen
    }
    return {
        str(target.name): len(paths)
        for target, paths in there.items()
        if paths.difference(MADE_BY_THE_HUB if target.on_hub else ())
    }


def maps_without_files(manifest: Manifest, repository: Repository, found: Survey) -> tuple[str, ...]:
    """Return a sentence for each map that takes nothing of the source as it is: a slip of the pen, most often."""
    if found.commit is None:
        return ()
    commit, form = found.commit, repository.object_format
    with ObjectReader(repository.git) as reader:
        return tuple(note for target in manifest.targets for note in empty_maps(reader, manifest, target, commit, form))


def write_new(path: Path, text: str) -> None:
    """Write a manifest that is not there yet, down to the disk; one that is there is never replaced.

    Raises:
        UsageError: there is one meanwhile.
        EnvironmentProblem: it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise UsageError(f"{path} is there already.", hint="Run the same command again: it checks that one.") from None
    except OSError as error:
        raise EnvironmentProblem(
            f"{path} cannot be written: {error.strerror}.", hint="Mend that, or choose another place with --manifest."
        ) from None
