"""The manifest `repos.toml`: the one place where people say what should be. Parsed into frozen types, or refused.

What is public here is loaded when it is first used: a projection needs a map, but no manifest.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openllm_repos.manifest.maps import Map
    from openllm_repos.manifest.model import DriftPolicy, History, Kind, Manifest, Project, Repo, Role

__all__ = ["DriftPolicy", "History", "Kind", "Manifest", "Map", "Project", "Repo", "Role"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from openllm_repos.manifest import model

    return getattr(model, name)
