"""The wheel holds all that is needed, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from openllm_repos import __version__

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_a_wheel_works_away_from_the_checkout(tmp_path: Path) -> None:
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name == f"openllm_repos-{__version__}-py3-none-any.whl"
    away = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(away)
    assert (away / "openllm_repos/py.typed").is_file()
    assert (away / "openllm_repos/repos.schema.json").read_bytes() == (ROOT / "manifest/repos.schema.json").read_bytes()
    assert (away / "openllm_repos/hooks/snippet.sh").is_file()
    assert (away / "openllm_repos/hooks/pre-push").read_bytes() == (ROOT / "hooks/pre-push").read_bytes()
    entry_points = (away / f"openllm_repos-{__version__}.dist-info/entry_points.txt").read_text()
    assert entry_points == "[console_scripts]\nopenllm-repos = openllm_repos.cli:main\n"
    # the copy is not what coverage measures
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    env = kept | {"PYTHONPATH": str(away)}
    for args in (["--version"], ["manifest", "schema"]):
        done = subprocess.run(
            [sys.executable, "-m", "openllm_repos", *args], cwd=tmp_path, env=env, check=True, capture_output=True
        )
        assert done.stdout
    where = subprocess.run(
        [sys.executable, "-c", "import openllm_repos; print(openllm_repos.__file__)"],
        cwd=tmp_path,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    assert where.stdout.strip() == str(away / "openllm_repos/__init__.py")
