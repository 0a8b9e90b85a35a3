"""`openllm-repos split`: the projection alone. Prints one commit id and starts fast, since scripts call it.

What it needs is imported where it is needed: a manifest (TOML) only for an argument that may name a target.
"""

from __future__ import annotations

import os

import click

from openllm_repos.cli.completion import TAG, TARGET
from openllm_repos.cli.invocation import Invocation

TYPE_CHECKING = False  # typing's own constant would cost an import
if TYPE_CHECKING:
    from collections.abc import Sequence

    from openllm_repos.errors import UsageError
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.maps import Map
    from openllm_repos.names.objectid import ObjectId
    from openllm_repos.names.path import FolderPath

_NEAR = 3


@click.command("split")
@click.argument("what", metavar="FROM_OR_TARGET", type=TARGET)
@click.option("--rev", default="HEAD", metavar="REV", type=TAG, help="Start from this branch, tag or commit (HEAD).")
@click.option("--no-cache", is_flag=True, help="Compute everything anew; neither read nor write what is remembered.")
@click.pass_obj
def split(invocation: Invocation, what: str, rev: str, no_cache: bool) -> None:
    """Print the commit that holds the history of one folder, or of one target's maps, and nothing else.

    FROM is a folder (core/src/ or core/src) or a pattern (core/src/*.py), from the top of the repository; its content
    ends up at the top. A path that never was a folder is taken for a single file. No manifest is needed, and for a
    whole folder the id is that of `git subtree split --ignore-joins`.

    TARGET is the name of a repo that has maps in repos.toml; what its maps take is put where they say. A name without
    '/' that is both a target and a folder means the target: write a '/' at the end for the folder.
    """
    from openllm_repos.git.repository import Repository
    from openllm_repos.projection.project import project

    tries, is_target = _maps_to_try(invocation, what)
    repository = Repository.open(invocation.directory)
    commit = repository.resolve(rev)
    for maps in tries:
        projected = project(repository, commit, maps, use_cache=not no_cache).commit
        if projected is not None:
            click.echo(projected)
            return
    raise _nothing(repository, commit, what, rev, tries[0], is_target=is_target)


def _maps_to_try(invocation: Invocation, what: str) -> tuple[list[tuple[Map, ...]], bool]:
    """Return the maps that the argument stands for, in the order to try them, and whether it names a target."""
    from openllm_repos.manifest.maps import Map

    if "/" not in what:
        path = invocation.manifest_path()
        if invocation.manifest is not None or os.path.lexists(path):
            from openllm_repos.manifest.model import Manifest

            found = next((repo.maps for repo in Manifest.load(path).targets if repo.name == what), None)
            if found is not None:
                return [found], True
    if what.endswith("/") or any(char in what for char in "*?[") or what in ("", "."):
        return [(Map.of(what, "."),)], False
    return [(Map.of(what + "/", "."),), (Map.of(what, "."),)], False


def _nothing(
    repository: Repository, commit: ObjectId, what: str, rev: str, maps: Sequence[Map], *, is_target: bool
) -> UsageError:
    """Say that nothing was ever mapped, and which folders of `rev` may have been meant."""
    from openllm_repos.errors import UsageError
    from openllm_repos.names.plain import quoted

    listed = repository.git.run("ls-tree", "-r", "-d", "-z", "--name-only", "--full-tree", commit).stdout
    folders = [name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0")[:-1]]
    subject = f"The maps of {quoted(what)}" if is_target else quoted(what)
    verb = "match" if is_target else "matches"
    missing = next((entry.source.base for entry in maps if entry.source.base not in ("", *folders)), None)
    return UsageError(
        f"{subject} {verb} nothing in the history of {quoted(rev)}.",
        hint=_every_folder_is_there(maps) if missing is None else _nearest_folders(missing, folders, rev),
    )


def _every_folder_is_there(maps: Sequence[Map]) -> str:
    wanted = ", ".join(entry.source.text for entry in maps)
    return f"The folder is there, but no file in it is taken by {wanted}; widen the pattern."


def _nearest_folders(missing: FolderPath, folders: list[str], rev: str) -> str:
    """Return a hint that names the folders nearest to one that does not exist: same last name first, then alike."""
    from difflib import get_close_matches

    from openllm_repos.names.plain import quoted

    last = missing.rpartition("/")[2].lower()
    near = [folder for folder in folders if folder.rpartition("/")[2].lower() == last]
    near += get_close_matches(missing, folders, n=_NEAR, cutoff=0.6)
    near += get_close_matches(last, [folder for folder in folders if "/" not in folder], n=_NEAR, cutoff=0.6)
    if near:
        names = ", ".join(folder + "/" for folder in list(dict.fromkeys(near))[:_NEAR])
        return f"Folders of {quoted(rev)} with such a name: {names}."
    top = [folder + "/" for folder in folders if "/" not in folder]
    if not top:
        return f"{quoted(rev)} has no folders at all."
    more = ", …" if len(top) > _NEAR else ""
    return f"The folders at the top of {quoted(rev)} are: {', '.join(top[:_NEAR])}{more}."
