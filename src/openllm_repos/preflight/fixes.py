"""What to do about each finding, in words that name the map, the line or the command."""

from __future__ import annotations

from openllm_repos.manifest.model import History, Repo
from openllm_repos.text import show, show_path


def content_fix(target: Repo, path: bytes, *, in_tip: bool) -> str:
    """Return how to get a file past a host that does not take its content."""
    narrower = _narrower(target, path)
    full = target.history is History.FULL
    if narrower is None:
        if not in_tip:
            return "Only past commits have it: take it out of what is not pushed yet, with 'git rebase --interactive'."
        return f"Keep it in LFS with 'git lfs track \"{track(path)}\"', in every commit that is not pushed yet."
    if not in_tip:
        squash = f'set history = "squash" for {target.name}, or ' if full else ""
        return f"Only past commits have it: {squash}keep it out with {narrower}."
    also = f', and set history = "squash" for {target.name}: past commits have it as it is' if full else ""
    return (
        f"Keep it out with {narrower}. Or keep it in LFS: in the source run"
        f" 'git lfs track \"{track(path)}\"', then 'git add --renormalize .', and commit{also}."
    )


def object_fix(target: Repo, path: bytes, *, in_tip: bool) -> str:
    """Return how to get the content of an LFS pointer, or do without."""
    upload = "git lfs push --all origin  # in a clone that has the content"
    narrower = _narrower(target, path)
    if narrower is None:
        return upload
    if not in_tip and target.history is History.FULL:
        return f'{upload}\nOnly past commits have it: or set history = "squash" for {target.name}.'
    return f"{upload}\nOr keep it out with {narrower}."


def line_fix(target: Repo, path: bytes) -> str:
    """Return the line that makes a target keep a path in LFS, and where it belongs."""
    return (
        f"Add this line to .gitattributes at the top of {target.name}, in {target.url} itself: {lfs_line(track(path))}"
    )


def card_fix(target: Repo, path: bytes) -> str:
    """Return where a card is to be mended."""
    for a_map in target.maps:
        if a_map.output.matches(path):
            return f"Mend it in the source ({a_map.source.text} writes it)."
    return f"Mend it in {target.name} itself: {target.url}/edit/{target.branch}/{show_path(path)}"


def attributes_fix(changed: str) -> str:
    """Return how to keep what LFS covers."""
    return f"The push changes {changed}: keep that file out with a narrower pattern, or take the lines about LFS over."


def lfs_line(pattern: str) -> str:
    """Return the line of ``.gitattributes`` that gives a pattern to LFS."""
    return f"{pattern} filter=lfs diff=lfs merge=lfs -text"


def track(path: bytes) -> str:
    """Return the pattern for ``.gitattributes`` that stands for a file and its like: by its ending, if it has one."""
    name = path.rpartition(b"/")[2]
    stem, dot, ending = name.rpartition(b".")
    if stem and dot and ending.isalnum():
        return f"*.{show(ending.decode('ascii', 'replace'))}"
    whole = show_path(path).replace(" ", "[[:space:]]")
    return whole if b"/" in path else f"/{whole}"


def _narrower(target: Repo, path: bytes) -> str | None:
    for at, a_map in enumerate(target.maps):
        if a_map.output.matches(path):
            return f'a narrower pattern than "{a_map.source.text}" ({target.at_key("map", at)})'
    return None
