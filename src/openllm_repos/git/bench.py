"""A throw-away git folder beside a clone: for questions that need an index or a place for objects of their own.

It reads the clone's objects and configuration and leaves both as they are. The clone's ``info/attributes``, its index
and its work tree have no say in it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from openllm_repos.git.process import Git
from openllm_repos.git.repository import Repository, quoted
from openllm_repos.temporary import temporary_folder


@contextlib.contextmanager
def bench(
    repository: Repository,
    *,
    defaults: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    keep: bool = False,
) -> Iterator[Repository]:
    """Yield a repository in a temporary folder, with an empty work tree, that reads everything of `repository`.

    Args:
        repository: the clone, quarantined or not.
        defaults: configuration (``section.key``) for what the clone's own configuration does not say.
        settings: configuration whatever the clone's own says. Both are this repository's only: unlike what is given on
            a command line, nothing that git starts in another repository gets them.
        keep: whether objects that are made stay where `repository` keeps its own.
    """
    with temporary_folder() as place:
        folder = place / ".git"
        objects = folder / "objects"
        (objects / "info").mkdir(parents=True)
        (objects / "pack").mkdir()
        (folder / "refs").mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
        alternates = "".join(f"{quoted(path)}\n" for path in repository.readable_objects)
        (objects / "info/alternates").write_bytes(os.fsencode(alternates))
        own = {"core.bare": "false", "core.worktree": ".."}  # whatever a submodule or a linked clone says
        if repository.object_format == "sha256":
            own |= {"core.repositoryFormatVersion": "1", "extensions.objectFormat": "sha256"}
        given = {"include.path": os.fspath(repository.common_dir / "config")}
        parts = (defaults or {}, given, own, settings or {})
        lines = [line for part in parts for each in part.items() for line in _lines(*each)]
        (folder / "config").write_bytes(os.fsencode("\n".join((*lines, ""))))
        ours = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
        extra = {name: value for name, value in repository.git.extra.items() if name not in ours}
        # Not by GIT_DIR: git-lfs copies from a folder with a program that would take it for that folder's own.
        git = Git(None, place, {**extra, "GIT_ATTR_NOSYSTEM": "1"})
        made = replace(
            repository, git_dir=folder, common_dir=folder, top=place, git=git, objects_dir=objects, beside=()
        )
        yield made.with_objects(repository.objects_dir, repository.beside) if keep else made


def _lines(key: str, value: str) -> tuple[str, str]:
    """Write one setting (``section.name``) as git's configuration files want it."""
    section, _, name = key.partition(".")
    written = '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    return f"[{section}]", f"{name} = {written}"
