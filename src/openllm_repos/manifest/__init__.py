"""The manifest `repos.toml`: the one place where people say what should be. Parsed into frozen types, or refused."""

from openllm_repos.manifest.model import DriftPolicy, History, Kind, Manifest, Map, Project, Repo, Role

__all__ = ["DriftPolicy", "History", "Kind", "Manifest", "Map", "Project", "Repo", "Role"]
