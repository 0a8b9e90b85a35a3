"""A Space that is synced and published to: neither gets in the way of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.published import Publishing

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli

MANIFEST = """\
schema = 1

[project]
name = "openllm"

[repos.main]
github = "louischua/openllm"
role = "source"

[repos.space]
space = "lemms/openllm"
owned = ["app.py", "README.md"]

[[repos.space.map]]
from = "core/src/*.py"
to = "training/"

[[repos.space.publish]]
from = "exports/*.png"
to = "pictures/"
"""


def test_a_space_is_synced_and_published_to_in_turn(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli) -> None:
    publishing = Publishing.on(sandbox, tmp_path / "family", run_cli, manifest=MANIFEST)
    family, space = publishing.family, publishing.family.space
    family.synced()
    publishing.write({"exports/curve.png": b"\x89PNG\r\n\0"})
    card = space.read("README.md")
    publishing.publish()
    assert space.read("pictures/curve.png").startswith(b"version https://git-lfs")
    assert space.read("README.md") == card, "the Space owns it"
    status = run_cli("status", "--json", cwd=publishing.top).json()
    assert [repo["state"] for repo in status["repos"]] == ["ok", "in sync"]
    assert status["repos"][1]["drift"] == {"commits": [], "files": []}

    family.commit("More", {"core/src/more.py": "more\n"})
    family.synced()
    assert space.read("training/more.py") == b"more\n"
    assert "space: up to date" in publishing.publish().out
    (publishing.top / "exports/curve.png").rename(publishing.top / "exports/loss.png")
    publishing.publish()
    assert [path for path in space.paths() if path.startswith("pictures/")] == ["pictures/loss.png"]

    mapped = MANIFEST.replace('to = "pictures/"', 'to = "charts/"')
    mapped += '[[repos.space.map]]\nfrom = "art/*.png"\nto = "pictures/"\n'
    publishing.write({"repos.toml": mapped.encode()})
    plan = publishing.publish("--dry-run").out.splitlines()
    assert "  A charts/loss.png  7 bytes" in plan
    assert "  D pictures/loss.png" not in plan, "a map writes there now"
