"""Where versions stand in real files: each is found as the tools that own the file find it, written, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from openllm_repos.errors import ConflictError, EnvironmentProblem, NameRefused
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.place import VersionPlace
from openllm_repos.versions.commit import files_of
from openllm_repos.versions.folder import files_in, write_files
from openllm_repos.versions.stated import Stated, agreed, stated
from openllm_repos.versions.written import written
from tests.support.repositories import Clone

STATIC = '[build-system]\nrequires = ["hatchling"]\n\n[project]\nname = "x" # mine\nversion = "1.2.0"  # keep\n'
HATCH = '[project]\nname = "x"\ndynamic = ["version"]\n\n[tool.hatch.version]\npath = "src/x/__init__.py"\n'
POETRY = "[tool.poetry]\nname = 'x'\nversion = '1.2.0'\n"
SETUPTOOLS = '[project]\ndynamic = ["version"]\n[tool.setuptools.dynamic]\nversion = { attr = "x.__version__" }\n'
SETUPTOOLS_FILE = '[project]\ndynamic = ["version"]\n[tool.setuptools.dynamic]\nversion = {file = ["VERSION"]}\n'
SCM = '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n[project]\ndynamic = ["version"]\n'
CARD = '---\nlicense: mit\nversion: "1.2.0" # of the model\ntags:\n  - version: no\n---\n\n# Model\nversion: 9.9.9\n'
CARD_TEXT = "---\nlicense: mit\n---\nversion: 1.2.0\n"
NPM = '{\n\t"name": "x",\n\t"deps": {"version": "9"},\n\t"list": [{"version": "8"}],\n\t"version": "1.2.0"\n}\n'

FOUND = [
    ("pyproject.toml", {"pyproject.toml": STATIC}, "pyproject.toml"),
    ("pyproject.toml", {"pyproject.toml": STATIC.replace("\n", "\r\n")}, "pyproject.toml"),
    ("pyproject.toml", {"pyproject.toml": "\ufeff" + STATIC}, "pyproject.toml"),
    ("pyproject.toml", {"pyproject.toml": POETRY}, "pyproject.toml"),
    ("pyproject.toml", {"pyproject.toml": "project = {name = 'x', version = '1.2.0'}\n"}, "pyproject.toml"),
    ("pyproject.toml", {"pyproject.toml": HATCH, "src/x/__init__.py": '__version__ = "1.2.0"\n'}, "src/x/__init__.py"),
    ("core/pyproject.toml", {"core/pyproject.toml": HATCH, "core/src/x/__init__.py": "VERSION='1.2.0'"}, None),
    ("pyproject.toml", {"pyproject.toml": SETUPTOOLS, "src/x/__init__.py": '__version__ = "1.2.0"'}, None),
    ("pyproject.toml", {"pyproject.toml": SETUPTOOLS, "x.py": 'x = 1\n__version__: str = "1.2.0"\n'}, "x.py"),
    ("pyproject.toml", {"pyproject.toml": SETUPTOOLS_FILE, "VERSION": "1.2.0"}, "VERSION"),
    ("Cargo.toml", {"Cargo.toml": '[package]\nversion = "1.2.0"\n'}, "Cargo.toml"),
    ("Cargo.toml#workspace.package.version", {"Cargo.toml": '[workspace.package]\nversion="1.2.0"\n'}, "Cargo.toml"),
    ("VERSION", {"VERSION": "1.2.0\n"}, "VERSION"),
    ("VERSION", {"VERSION": "# by hand\r\n\r\n v1.2.0 \r\n"}, "VERSION"),
    ("x.py", {"x.py": '"""Doc."""\n\n__version__ = "1.2.0"  # here\nversion = "0"\n'}, "x.py"),
    ("setup.cfg", {"setup.cfg": "[metadata]\nname = x\nversion = 1.2.0\n\n[options]\nversion = 3\n"}, "setup.cfg"),
    ("package.json", {"package.json": NPM}, "package.json"),
    ("app.json#app.version", {"app.json": '{"version": "3", "app": {"name": "x", "version": "1.2.0"}}'}, "app.json"),
    ("README.md", {"README.md": CARD}, "README.md"),
    ("README.md#version", {"README.md": CARD.replace("\n", "\r\n")}, "README.md"),
    ("README.md#model_version", {"README.md": "---\nmodel_version: 1.2.0\nversion: 3\n---\n"}, "README.md"),
    ("CITATION.cff", {"CITATION.cff": "cff-version: 1.2.9\nversion: 1.2.0\n"}, "CITATION.cff"),
]

FAULTS = [
    ("VERSION", {}, "is not there"),
    ("VERSION", {"VERSION": "\n# nothing\n"}, "is empty"),
    ("VERSION", {"VERSION": "1.2.0\n1.3.0\n"}, "holds more than one version alone; name a file that says only that"),
    ("x.py", {"x.py": "from .y import __version__\n"}, 'says no __version__ = "…" at the start of a line'),
    ("setup.cfg", {"setup.cfg": "[metadata]\nversion = attr: x.v\n"}, "says no version in [metadata]"),
    ("package.json", {"package.json": "{"}, "is not JSON that can be read"),
    ("package.json", {"package.json": '{"name": {"version": "1"}}'}, "says no version"),
    ("package.json", {"package.json": '["version", "1"]'}, "says no version"),
    ("package.json", {"package.json": '{"a": "version", "version": 3}'}, "says no version"),
    ("README.md", {"README.md": "# Title\nversion: 1\n"}, "has no front matter (--- at its top)"),
    ("README.md", {"README.md": CARD_TEXT}, "says no version at the top of its front matter"),
    ("README.md", {"README.md": "---\nversion: 1\nversion: 2\n---\n"}, "says version 2 times"),
    ("README.md", {"README.md": "---\nversion: |\n  1.0\n---\n"}, "says no version at the top of its front matter"),
    ("pyproject.toml", {"pyproject.toml": "["}, "is not TOML that can be read"),
    ("pyproject.toml", {"pyproject.toml": "[project]\nname = 'x'\n"}, "says no version"),
    ("pyproject.toml#tool.x.v", {"pyproject.toml": STATIC}, "says no tool.x.v"),
    ("pyproject.toml", {"pyproject.toml": HATCH}, "is not there"),
    ("pyproject.toml", {"pyproject.toml": HATCH.replace("src/x/", "../")}, "which is no file of the repository"),
    ("pyproject.toml", {"pyproject.toml": HATCH.replace("src/x/", "src\\n")}, "which is no file of the repository"),
    ("pyproject.toml", {"pyproject.toml": HATCH + "pattern = 'x'\n"}, "finds its version by a pattern of its own"),
    ("pyproject.toml", {"pyproject.toml": SETUPTOOLS}, "does not say where in a way that is known here"),
]


def reading(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def one(place: str, files: Mapping[str, str]) -> Stated:
    return stated([VersionPlace(place)], reading(files).get)[0]


@pytest.mark.parametrize(("place", "files", "file"), FOUND)
def test_a_version_is_found_written_and_found_again(place: str, files: dict[str, str], file: str | None) -> None:
    found = one(place, files)
    assert (found.version, found.problem) == ("1.2.0", "")
    assert file in {None, found.file}

    changed = written([VersionPlace(place)], reading(files).get, "1.3.0rc1")
    said = "1.3.0-rc.1" if found.file.endswith(".json") or found.file == "Cargo.toml" else "1.3.0rc1"
    after = files[found.file].replace("1.2.0", said)
    assert changed == {found.file: after.encode()}, "and every other byte is as it was"
    assert one(place, files | {found.file: after}).agrees("1.3.0rc1")
    assert written([VersionPlace(place)], reading(files | {found.file: after}).get, "1.3.0rc1") == {}


@pytest.mark.parametrize(("place", "files", "why"), FAULTS)
def test_a_file_that_says_no_version_is_told_and_not_written(place: str, files: dict[str, str], why: str) -> None:
    found = one(place, files)
    assert found.version is None
    assert why in found.problem
    assert not found.agrees("1.2.0")
    with pytest.raises(ConflictError, match="so the version cannot be written there"):
        written([VersionPlace(place)], reading(files).get, "1.3.0")


def test_the_problem_of_a_file_that_pyproject_points_to_names_that_file() -> None:
    found = one("pyproject.toml", {"pyproject.toml": HATCH, "src/x/__init__.py": "nothing\n"})
    assert (found.place, found.file) == ("pyproject.toml", "src/x/__init__.py")
    assert found.problem == 'says no __version__ = "…" at the start of a line'


def test_a_version_made_from_the_tag_agrees_with_any_and_is_never_written() -> None:
    files = reading({"pyproject.toml": SCM, "VERSION": "1.2.0\n"})
    places = [VersionPlace("pyproject.toml"), VersionPlace("VERSION")]
    found = stated(places, files.get)
    assert found[0].by_tag
    assert found[0].agrees("7.0")
    assert agreed(found) == "1.2.0"
    assert written(places, files.get, "2.0") == {"VERSION": b"2.0\n"}


def test_places_agree_when_they_say_one_version_however_spelt() -> None:
    files = reading({"VERSION": "1.0.0rc1\n", "package.json": '{"version": "1.0.0-rc.1"}', "README.md": CARD})
    version, npm, card = (VersionPlace(name) for name in files)
    assert agreed(stated([version, npm], files.get)) == "1.0.0rc1"
    assert agreed(stated([version, npm, card], files.get)) is None
    assert agreed(()) is None


def test_two_places_in_one_file_are_both_written() -> None:
    files = reading({"app.json": '{"version": "1.0.0", "app": {"version": "1.0.0"}}'})
    places = [VersionPlace("app.json"), VersionPlace("app.json#app.version")]
    assert written(places, files.get, "1.1.0") == {"app.json": b'{"version": "1.1.0", "app": {"version": "1.1.0"}}'}


def test_a_version_that_yaml_would_read_as_a_number_gets_quotes() -> None:
    changed = written([VersionPlace("README.md")], {"README.md": b"---\nversion: 1.9\n---\n"}.get, "1.10")
    assert changed == {"README.md": b'---\nversion: "1.10"\n---\n'}


def test_bytes_that_are_no_utf_8_are_kept() -> None:
    before = b"# caf\xe9\n__version__ = '1.0'\n"
    assert written([VersionPlace("x.py")], {"x.py": before}.get, "1.1") == {"x.py": before.replace(b"1.0", b"1.1")}


def test_what_is_no_version_is_not_written() -> None:
    for text in ("v1.0", "latest", " 1.0", "1.0\n", ""):
        with pytest.raises(NameRefused, match="is not a version"):
            written([VersionPlace("VERSION")], {"VERSION": b"1.0\n"}.get, text)


def test_a_commit_is_read_and_not_the_work_tree(clone: Clone) -> None:
    made = clone.commit("one", {"VERSION": "1.2.0\n", "sub/x.py": "x = 1\n"})
    clone.write({"VERSION": "9.9.9\n"})
    with ObjectReader(Repository.open(clone.path).git) as reader:
        read = files_of(reader, ObjectId(made))
        assert stated([VersionPlace("VERSION")], read)[0].version == "1.2.0"
        assert read("sub") is None
        assert read("gone") is None
    assert stated([VersionPlace("VERSION")], files_in(clone.path))[0].version == "9.9.9"


def test_a_symbolic_link_in_the_work_tree_is_not_followed(clone: Clone) -> None:
    clone.write({"real": "1.0\n"})
    clone.link("VERSION", "real")
    assert stated([VersionPlace("VERSION")], files_in(clone.path))[0].problem == "is not there"


def test_a_written_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("1.0\n")
    (tmp_path / "VERSION").chmod(0o755)
    write_files(tmp_path, {"VERSION": b"1.1\n"})
    assert (tmp_path / "VERSION").read_text() == "1.1\n"
    assert (tmp_path / "VERSION").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.iterdir()] == ["VERSION"]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"gone/VERSION cannot be written: No such file"):
        write_files(tmp_path, {"gone/VERSION": b"1.1\n"})


def test_a_place_is_a_file_and_perhaps_a_key() -> None:
    place = VersionPlace("docs/README.md#model_version")
    assert (place.path, place.key) == ("docs/README.md", "model_version")
    for text in ("/VERSION", "../VERSION", "VERSION#key", "README.md#", "README.md#a.b", "README.md#a b", "#version"):
        with pytest.raises(NameRefused):
            VersionPlace(text)
