"""git's progress is taken out of its messages, and nothing else is."""

from __future__ import annotations

import pytest

from openllm_repos.git import progress
from openllm_repos.git.progress import Counter, ProgressFilter

SAID = (
    b"Enumerating objects: 5, done.\nCounting objects:  20% (1/5)\rCounting objects: 100% (5/5), done.\n"
    b"remote: Resolving deltas: 100% (2/2), done.\x1b[K\nWriting objects:  45% (9/20), 7.20 MiB | 3.00 MiB/s\r"
    b"remote: error: File x is 100% too large\nTotal 20 (delta 2), reused 0\nhint: Note: 5\nfatal: the end"
)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_progress_is_told_from_messages_however_it_arrives(size: int) -> None:
    seen: list[str] = []
    sort = ProgressFilter(seen.append)
    kept = b"".join(sort.feed(SAID[at : at + size]) for at in range(0, len(SAID), size)) + sort.close()
    assert kept == (
        b"remote: error: File x is 100% too large\nTotal 20 (delta 2), reused 0\nhint: Note: 5\nfatal: the end"
    )
    assert seen[0] == "Enumerating objects: 5, done."
    assert "Writing objects:  45% (9/20), 7.20 MiB | 3.00 MiB/s" in seen
    assert seen[-1] == ""


def test_what_we_count_ourselves_looks_like_gits_own_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_AFTER", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    seen: list[str] = []
    counter = Counter(seen.append)
    assert list(counter.count("abc", "Projecting commits", 3)) == ["a", "b", "c"]
    assert list(counter.count("d", "Reading commits")) == ["d"]
    assert seen == [
        *("Projecting commits:  33% (1/3)", "Projecting commits:  66% (2/3)", "Projecting commits: 100% (3/3)", ""),
        *("Reading commits: 1", ""),
    ]


def test_what_is_done_soon_or_watched_by_nobody_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    assert list(Counter(seen.append).count("abc", "Projecting commits", 3)) == ["a", "b", "c"]
    monkeypatch.setattr(progress, "_AFTER", 0.0)
    assert list(Counter(None).count("abc", "Projecting commits", 3)) == ["a", "b", "c"]
    assert seen == []
