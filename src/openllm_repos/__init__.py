"""Keep a family of git repositories in step from one file, ``repos.toml``.

The library behind the command line. Everything public is loaded when it is first used, so that importing the package
costs next to nothing::

    from openllm_repos import Manifest, Repository, apply, plan_sync, project

    manifest = Manifest.load(Path("repos.toml"))
    clone = Repository.open(Path("."))
    plan = plan_sync(manifest, clone)
    outcomes = apply(plan, manifest, clone)
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openllm_repos.errors import ReposError as ReposError
    from openllm_repos.git.repository import Repository as Repository
    from openllm_repos.manifest.maps import Map as Map
    from openllm_repos.manifest.model import Manifest as Manifest
    from openllm_repos.projection.project import Projected as Projected
    from openllm_repos.projection.project import project as project
    from openllm_repos.status.family import family_status as family_status
    from openllm_repos.sync.apply import apply as apply
    from openllm_repos.sync.planning import plan_sync as plan_sync

_PUBLIC = {
    "Manifest": "manifest.model",
    "Map": "manifest.maps",
    "Projected": "projection.project",
    "ReposError": "errors",
    "Repository": "git.repository",
    "apply": "sync.apply",
    "family_status": "status.family",
    "plan_sync": "sync.planning",
    "project": "projection.project",
}

__all__ = [*sorted(_PUBLIC), "__version__"]  # noqa: PLE0604 - the names are strings of the table above


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
