"""What the shell offers behind TAB: repos, tags, versions, operations, maps and their paths, places of the manifest.

Each kind of value is a click type, so an argument says what it is once. A completion asks no remote, and where
something is amiss it offers nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import ReposError
from openllm_repos.text import show, show_path

if TYPE_CHECKING:
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest

_OPERATIONS = 50  # the newest ones
_Offer = Callable[[click.Context, "Manifest", "Repository"], Iterable[CompletionItem]]


class Value(click.types.StringParamType):
    """A text of which the shell can offer the values that make sense.

    Args:
        name: what it is.
        offer: yields them, from the manifest and the clone.
    """

    def __init__(self, name: str, offer: _Offer) -> None:
        self.name = name
        self._offer = offer

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the values that begin as what is typed, without those that stand there already."""
        del param
        from openllm_repos.cli.clone import open_clone

        typed = {word for value in ctx.params.values() if isinstance(value, tuple) for word in value}
        with contextlib.suppress(ReposError, OSError):
            offered = list(self._offer(ctx, *open_clone(ctx.obj or Invocation(Path.cwd()))))
            return [item for item in offered if item.value.startswith(incomplete) and item.value not in typed]
        return []


def _repos(_: click.Context, manifest: Manifest, __: Repository) -> Iterator[CompletionItem]:
    return (CompletionItem(str(repo.name), help=str(repo.kind)) for repo in manifest.repos)


def _named(ctx: click.Context, manifest: Manifest) -> tuple[str, ...]:
    from openllm_repos.manifest.selection import select

    return select(manifest, ctx.params.get("targets") or (), ctx.params.get("groups") or (), manifest.targets)


def _groups(_: click.Context, manifest: Manifest, __: Repository) -> Iterator[CompletionItem]:
    names = [name for repo in manifest.repos for name in repo.groups]
    return (CompletionItem(name, help=f"{names.count(name)} repos") for name in dict.fromkeys(names))


def _targets(_: click.Context, manifest: Manifest, __: Repository) -> Iterator[CompletionItem]:
    return (CompletionItem(str(repo.name), help=repo.url) for repo in manifest.targets)


def _published(_: click.Context, manifest: Manifest, __: Repository) -> Iterator[CompletionItem]:
    return (CompletionItem(str(repo.name), help=repo.url) for repo in manifest.published)


def _pinned(_: click.Context, manifest: Manifest, __: Repository) -> Iterator[CompletionItem]:
    return (CompletionItem(str(repo.name), help=str(path)) for repo, path in manifest.pinned)


def _tags(_: click.Context, manifest: Manifest, repository: Repository) -> Iterator[CompletionItem]:
    from openllm_repos.git.refs import read_refs

    form = manifest.project.tag
    tags = [ref.removeprefix("refs/tags/") for ref in read_refs(repository, "refs/tags")]
    return (CompletionItem(show(tag)) for tag in reversed(tags) if form.version_of(tag) is not None)


def _begun(_: click.Context, __: Manifest, repository: Repository) -> Iterator[CompletionItem]:
    from openllm_repos.journal.releases import read_release

    found = read_release(repository)
    if found is not None:
        yield CompletionItem(found.version, help="was begun in this clone")


def _versions(ctx: click.Context, manifest: Manifest, repository: Repository) -> Iterator[CompletionItem]:
    """Yield the version of a release that was begun, else the one that the work tree says."""
    from openllm_repos.versions.folder import files_in
    from openllm_repos.versions.stated import agreed, stated

    begun = list(_begun(ctx, manifest, repository))
    yield from begun
    if not begun and repository.top is not None and not ctx.params.get("resume"):
        said = agreed(stated(manifest.project.version, files_in(repository.top)))
        yield from [] if said is None else [CompletionItem(show(said), help="as it stands in the work tree")]


def _maps(ctx: click.Context, manifest: Manifest, _: Repository) -> Iterator[CompletionItem]:
    """Yield the maps of the targets that were named, or of all of them, by what they take."""
    named = _named(ctx, manifest) or [name for name in [ctx.params.get("target")] if name]
    for target in manifest.narrowed(named).targets:
        yield from (CompletionItem(show(one.source.text), help=str(target.name)) for one in target.maps)


def _operations(_: click.Context, __: Manifest, repository: Repository) -> Iterator[CompletionItem]:
    from itertools import islice

    from openllm_repos.journal.log import operations

    return (CompletionItem(one.name, help=show(one.command)) for one in islice(operations(repository), _OPERATIONS))


def _mapped(ctx: click.Context, manifest: Manifest, repository: Repository) -> Iterator[CompletionItem]:
    """Yield the paths that the maps write in the one target that was named: only there can a sync conflict."""
    from openllm_repos.family.source import source_commit
    from openllm_repos.git.history import files_below
    from openllm_repos.names.path import FolderPath
    from openllm_repos.projection.project import project

    names = _named(ctx, manifest) or [target.name for target in manifest.targets]
    if len(names) != 1:
        return
    with repository.quarantine() as clone:
        commit = source_commit(clone, manifest.source, None, None)
        projected = project(clone, commit, manifest.target(names[0]).maps).commit
        if projected is not None:
            yield from (CompletionItem(show_path(path)) for path in files_below(clone, projected, FolderPath("")))


def _places(_: click.Context, manifest: Manifest, __: Repository) -> Iterator[CompletionItem]:
    from openllm_repos.manifest.parse import keys_of

    yield from (CompletionItem(place) for place in keys_of(manifest))


REPO = Value("repo", _repos)
GROUP = Value("group", _groups)
TARGET = Value("target", _targets)
PUBLISHED = Value("repo", _published)
PINNED = Value("repo", _pinned)
TAG = Value("tag", _tags)
BEGUN = Value("version", _begun)
VERSION = Value("version", _versions)
MAP = Value("map", _maps)
OPERATION = Value("operation", _operations)
MAPPED_PATH = Value("path", _mapped)
PLACE = Value("place", _places)
by_group = click.option(
    "--group",
    "groups",
    metavar="NAME",
    multiple=True,
    type=GROUP,
    help="Those of this group, beside those named; repeatable. A name may be a glob in quotes: 'space-*'.",
)
FILE = click.Path().shell_complete  # the shell itself knows them
