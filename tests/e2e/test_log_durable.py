"""The log is on the disk before a ref moves: seen by who syncs files, and by the server that a push reaches."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tests.support.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome
    from tests.support.server import GitServer


def test_a_push_is_on_the_disk_before_it_reaches_the_server(
    tmp_path: Path, run_cli: RunCli, server: GitServer, home: SealedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.instead_of("https://example.org/", server.url(""))
    family = Family.make(tmp_path / "family", run_cli, space=server.create("space"))
    family.urls["space"] = "https://example.org/space"
    family.manifest()
    family.commit("On a server")
    log = family.clone.path / ".git/openllm-repos/operations.jsonl"
    durable: dict[Path, bytes] = {}
    really = os.fsync

    def fsync(handle: int) -> None:
        really(handle)
        for path in (log, log.parent, log.parent.parent):
            if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
                durable[path] = path.read_bytes() if path is log else b"".join(map(os.fsencode, os.listdir(path)))

    seen: list[dict[Path, bytes]] = []
    monkeypatch.setattr(os, "fsync", fsync)
    server.on("space", before_push=lambda: seen.append(dict(durable)))
    for number in range(2):
        family.commit(f"Commit {number}", {"core/src/train.py": f"{number}\n"})
        family.synced()
        lines: list[dict[str, Any]] = [json.loads(line) for line in seen[number][log].splitlines()]
        pushed = lines[-1]["move"]
        assert (pushed["new"], pushed["outcome"]) == (family.space.tip("main"), "begun")
    for path in (log, log.parent):
        assert path.name.encode() in seen[0][path.parent], "the name of a new file, too"
    assert durable[log] == log.read_bytes(), "what came of it, too"
