"""Maps: where a path goes, how `to` is read, and when two manifests map the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.manifest import Manifest, Map
from openllm_repos.manifest.maps import maps_digest


@pytest.mark.parametrize(
    ("source", "to", "path", "there"),
    [
        ("core/src/*.py", "training/", "core/src/a.py", "training/a.py"),
        ("core/src/*.py", "training", "core/src/a.py", "training/a.py"),
        ("core/src/*.py", "training/*.py", "core/src/a.py", "training/a.py"),
        ("core/src/*.py", ".", "core/src/a.py", "a.py"),
        ("core/src/*.py", "*.py", "core/src/a.py", "a.py"),
        ("core/**/*.py", "training/", "core/x/y/a.py", "training/x/y/a.py"),
        ("core/src/", "./", "core/src/x/a", "x/a"),
        ("core/src/", "**", "core/src/x/a", "x/a"),
        ("*.md", "docs/", "README.md", "docs/README.md"),
        ("core/main.py", "app.py", "core/main.py", "app.py"),
        ("core/main.py", "bin/app", "core/main.py", "bin/app"),
        ("core/main.py", "bin/", "core/main.py", "bin/main.py"),
        ("core/main.py", ".", "core/main.py", "main.py"),
        ("main.py", "main.py", "main.py", "main.py"),
        ("core/src/*.py", "training/", "core/src/a.txt", None),
        ("core/src/*.py", "training/", "core/a.py", None),
    ],
)
def test_where_a_path_of_the_source_goes(source: str, to: str, path: str, there: str | None) -> None:
    made = Map.of(source, to)
    assert made.written_to == to
    assert made.target_path(path.encode()) == (there.encode() if there else None)
    if there:
        assert made.output.matches(there.encode())


def test_a_name_that_is_not_utf8_keeps_its_bytes() -> None:
    assert Map.of("core/*.py", "training/").target_path(b"core/\xff.py") == b"training/\xff.py"


def test_only_a_single_file_with_another_name_is_renamed() -> None:
    assert Map.of("core/main.py", "bin/app.py").rename == "app.py"
    assert Map.of("core/main.py", "bin/main.py").rename is None
    assert Map.of("core/main.py", "bin/").rename is None
    assert Map.of("core/", "bin").rename is None


@pytest.mark.parametrize(
    ("source", "to"),
    [
        ("a/*.py", "b/*.txt"),
        ("a/*.py", "b/**/*.py"),
        ("a/", "b/*"),
        ("a/x", "b/*"),
        ("a/*", ""),
        ("a/*", "../b"),
        ("a/x", "b/.."),
    ],
)
def test_a_to_that_is_none_of_its_three_forms(source: str, to: str) -> None:
    with pytest.raises(NameRefused):
        Map.of(source, to)


def digest(*maps: tuple[str, str]) -> str:
    lines = "".join(f'[[repos.t.map]]\nfrom = "{source}"\nto = "{to}"\n' for source, to in maps)
    head = 'schema = 1\n[project]\nname = "x"\n[repos.s]\ngithub = "a/b"\nrole = "source"\n[repos.t]\nspace = "a/b"\n'
    return maps_digest(Manifest.parse(head + lines).repo("t").maps)


def test_spellings_and_orders_of_the_same_maps_have_one_digest() -> None:
    assert digest(("core/src/", "training/"), ("c/*.json", "c/")) == digest(
        ("c/*.json", "c/*.json"), ("core/src/**", "training")
    )
    assert digest(("a/x.py", "b/x.py")) == digest(("a/x.py", "b/"))
    assert digest(("a/", ".")) == digest(("a/", "./"))


def test_different_maps_have_different_digests() -> None:
    forms = [("a/", "b/"), ("a/", "c/"), ("a/*", "b/"), ("a/**/*.py", "b/"), ("a/x", "b/"), ("a/x", "b/y"), ("a/", ".")]
    assert len({digest(form) for form in forms}) == len(forms)
    assert digest(("a/", "b/")) != digest(("a/", "b/"), ("c/", "d/"))


def test_the_digest_stays_what_it_was() -> None:
    """Caches are keyed by it: whoever changes this value makes every user project again."""
    assert digest(("core/src/*.py", "training/")) == "08d1889c87170b22230c4bbd684c2bc456e275db5bfdccb629baf56e23b0d8c9"


def test_importing_the_manifest_imports_nothing_that_costs() -> None:
    costly = ("tomllib", "tomlkit", "difflib", "hashlib", "pathlib", "git", "click", "rich")
    code = (
        "import sys; before = set(sys.modules); import openllm_repos.manifest;"
        f" print([name for name in {costly} if name in set(sys.modules) - before])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
