"""The tool as pip installs it: a wheel of it, wheels of all that it needs, its sources, and a Python to put it into.

The wheels of what it needs are made again from what is installed here, so nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.tags import sys_tags

from tests.support.process import run_git

if TYPE_CHECKING:
    from tests.support.repositories import Bare

ROOT = Path(__file__).parents[2]


def wheels_of_the_tool(folder: Path, *, building: bool = False) -> list[str]:
    """Fill a folder with wheels; return what pip calls each of them, with its hash. The tool is the first.

    Args:
        folder: it is made.
        building: whether what builds the tool is among them.
    """
    folder.mkdir()
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    todo = [*project["project"]["dependencies"], *(project["build-system"]["requires"] if building else ())]
    made: dict[str, Path] = {}
    while todo:
        wanted = Requirement(todo.pop())
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        found = importlib.metadata.distribution(wanted.name)
        if found.name not in made:
            made[found.name] = _packed_again(found, folder)
            todo += found.requires or []
    return [_named(one) for one in (wheel, *made.values())]


def _packed_again(found: importlib.metadata.Distribution, folder: Path) -> Path:
    """Make a wheel of an installed distribution, for this Python alone."""
    assert found.files is not None
    wheel = folder / f"{found.name.replace('-', '_')}-{found.version}-{next(sys_tags())}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in found.files:
            if not file.parts[0].startswith("..") and file.name not in {"direct_url.json", "INSTALLER", "REQUESTED"}:
                archive.write(str(file.locate()), str(file))
    return wheel


def _named(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name.replace('_', '-').lower()}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def sources_of_the_tool(folder: Path, published: Bare) -> str:
    """Push the sources of the tool, as they are here, to a repository; return the commit."""
    kept = shutil.ignore_patterns("__pycache__")
    for name in ("src", "manifest", "hooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    run_git("init", "-q", "-b", "main", cwd=folder)
    run_git("add", ".", cwd=folder)
    run_git("commit", "-q", "-m", "The tool", cwd=folder)
    run_git("push", "-q", published.path, "main", cwd=folder)
    return run_git("rev-parse", "HEAD", cwd=folder).out.strip()


def empty_python(folder: Path) -> Path:
    """Make a Python that has pip alone; return the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin"
