"""The newest release among the tags of a remote."""

from __future__ import annotations

from collections.abc import Iterable

from openllm_repos.names.ref import TagTemplate


def newest_release(form: TagTemplate, tags: Iterable[str]) -> str | None:
    """Return the tag of the highest version, as Python packages order versions (1.10 after 1.9, 1.0rc1 before 1.0).

    Args:
        form: what a release tag looks like; other tags do not count.
        tags: short names.

    Returns:
        The tag, or None where there is no release. Versions that nothing orders come before all others.
    """
    releases = {tag: version for tag in tags if (version := form.version_of(tag)) is not None}
    if len(releases) < 2:
        return next(iter(releases), None)
    from openllm_repos.versions.order import order

    return max(releases, key=lambda tag: (order(releases[tag]), tag))
