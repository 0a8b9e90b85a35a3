"""What a clone has of other repositories already: submodules, and folders that `git subtree` keeps."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from openllm_repos.errors import NameRefused, ReposError
from openllm_repos.family.modules import followed, resolved
from openllm_repos.git.configured import GitRemote
from openllm_repos.git.gitlinks import all_pins
from openllm_repos.git.gitmodules import modules_text, read_modules
from openllm_repos.git.peek import Tree
from openllm_repos.git.repository import Repository
from openllm_repos.git.subtrees import remotes_holding, subtrees_in
from openllm_repos.manifest.model import DEFAULT_BRANCH, Kind
from openllm_repos.manifest.submodules import submodule_path
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.names.ref import BranchName
from openllm_repos.setup.draft import Draft, Entry, name_for
from openllm_repos.setup.places import Place, place_of_url


@dataclass(frozen=True, slots=True)
class Submodule:
    """A submodule of the source.

    Attributes:
        path: where it is.
        place: where it comes from.
        branch: the branch that ``.gitmodules`` names, else main.
    """

    path: FolderPath
    place: Place
    branch: BranchName = DEFAULT_BRANCH


@dataclass(frozen=True, slots=True)
class SubtreeFolder:
    """A folder that `git subtree` keeps.

    Attributes:
        folder: its path.
        split: the other repository's commit that it was last joined with.
        place: which repository that is, None where no git remote of the clone tells.
    """

    folder: FolderPath
    split: ObjectId
    place: Place | None


def find_submodules(repository: Repository, commit: ObjectId, base: str, branch: BranchName) -> tuple[Submodule, ...]:
    """Return the submodules of a commit whose path and URL a manifest can name.

    Args:
        repository: the clone.
        commit: of the source.
        base: the source's own URL, from which relative ones are meant; may be empty.
        branch: the source's own.
    """
    pins = {os.fsdecode(path) for path in all_pins(repository, commit)}
    if not pins:
        return ()
    found = []
    with contextlib.suppress(ReposError):  # a .gitmodules that git cannot read says nothing
        for module in read_modules(repository, modules_text(repository, commit)):
            place = place_of_url(resolved(base, module.url)) if module.path in pins and not module.faults else None
            if place is None:
                continue
            with contextlib.suppress(NameRefused):
                found.append(Submodule(submodule_path(module.path), place, BranchName(followed(module, branch))))
    return tuple(found)


def find_subtrees(
    repository: Repository, commit: ObjectId, files: Tree, remotes: Sequence[tuple[GitRemote, Place | None]]
) -> tuple[SubtreeFolder, ...]:
    """Return the folders that `git subtree` keeps and that are still there.

    Args:
        repository: the clone.
        commit: of the source; its history tells.
        files: those of that commit.
        remotes: the clone's git remotes but the source, and where they lead.
    """
    found = []
    for subtree in subtrees_in(repository, commit):
        below = os.fsencode(f"{subtree.folder}/")
        if not any(path.startswith(below) for path in files):
            continue
        with contextlib.suppress(NameRefused):
            held = remotes_holding(repository, subtree.split)
            places = (
                place
                for remote, place in remotes
                if any(ref.startswith(f"refs/remotes/{remote.name}/") for ref in held)
            )
            found.append(SubtreeFolder(FolderPath(subtree.folder), subtree.split, next(places, None)))
    return tuple(found)


def with_submodules(draft: Draft, submodules: Sequence[Submodule]) -> Draft:
    """Return the draft with repos that the source has as submodules; what is not the family's own is not released.

    Of what lies on GitHub and elsewhere, only repos of the family's own people are taken in: a library of others
    stays a plain submodule.
    """
    owners = {_owner(entry.place) for entry in (draft.source, *draft.others)}
    for one in submodules:
        known = next((entry for entry in draft.others if _same(entry.place, one.place)), None)
        if known is not None and known.submodule is None:
            pinned = replace(known, submodule=one.path, branch=one.branch)
            draft = replace(draft, others=tuple(pinned if entry is known else entry for entry in draft.others))
        elif known is None and not _same(draft.source.place, one.place):
            ours = _owner(one.place) in owners
            if ours or one.place.on_hub:
                name = name_for(draft, one.place)
                made = Entry(name, one.place, one.branch, submodule=one.path, release=ours)
                draft = replace(draft, others=(*draft.others, made))
    return draft


def with_subtrees(draft: Draft, subtrees: Sequence[SubtreeFolder]) -> Draft:
    """Return the draft with a map for each folder whose other repository is known; of the rest a comment tells."""
    for one in subtrees:
        a_map = (f"{one.folder}/", ".")
        known = next((entry for entry in draft.others if one.place and _same(entry.place, one.place)), None)
        if one.place is None or _same(draft.source.place, one.place) or (known is not None and known.maps):
            draft = replace(draft, notes=(*draft.notes, _untold(one)))
        elif known is None:
            made = Entry(name_for(draft, one.place), one.place, maps=(a_map,))
            draft = replace(draft, others=(*draft.others, made))
        else:
            mapped = replace(known, maps=(a_map,))
            draft = replace(draft, others=tuple(mapped if entry is known else entry for entry in draft.others))
    return draft


def told(draft: Draft, submodules: Sequence[Submodule], subtrees: Sequence[SubtreeFolder]) -> Iterator[str]:
    """Yield a sentence for each submodule and subtree: what the manifest says of it, or why nothing."""
    by_path = {entry.submodule: entry for entry in draft.others if entry.submodule is not None}
    for one in submodules:
        entry = by_path.get(one.path)
        if entry is None:
            yield f"{one.path} is a submodule ({one.place.text}); it stays one, and the manifest says nothing of it."
        elif entry.release:
            yield f"{one.path} is a submodule: the manifest has it as {entry.name}, pinned there."
        else:
            yield f"{one.path} is a submodule: the manifest has it as {entry.name}, which releases leave alone."
    mapped = {source: entry for entry in draft.others for source, to in entry.maps if to == "."}
    for folder in subtrees:
        entry = mapped.get(f"{folder.folder}/")
        if entry is not None:
            how = f"'openllm-repos adopt {entry.name}' joins them, once"
            yield f"{folder.folder}/ is a git subtree: the manifest maps it to {entry.name}; {how}."
        else:
            yield f"{folder.folder}/ is a git subtree, of what is not known; the end of the manifest says more."


def _untold(one: SubtreeFolder) -> str:
    return (
        f"{one.folder}/ is a git subtree, last joined with {one.split[:10]} of its other repository."
        " To carry it there:\n"
        f'[[repos.NAME.map]]\nfrom = "{one.folder}/"\nto = "."'
    )


def _same(one: Place, other: Place) -> bool:
    return one.url.identity == other.url.identity


def _owner(place: Place) -> str:
    if place.kind is Kind.GIT or place.repo_id is None:
        return place.url.rpartition("/")[0]
    return place.repo_id.partition("/")[0].lower()
