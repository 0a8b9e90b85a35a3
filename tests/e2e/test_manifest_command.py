"""`openllm-repos manifest`: a person looks at repos.toml, checks it, and edits it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.support.fingerprint import fingerprint
from tests.support.inprocess import RunCli

MANIFEST = """\
# our family
schema = 1

[project]
name = "openllm"
version = "pyproject.toml"
never = ["data/", "tests/"]

[repos.main]
github = "louischua/openllm"
role = "source"

# the Space people try
[repos.space]
space = "lemms/openllm"   # on the Hub
owned = ["app.py", "README.md"]

[[repos.space.map]]
from = "core/src/*.py"
to = "training/"

[[repos.space.map]]
from = "configs/*.json"
to = "configs/"

[repos.data]
dataset = "lemms/openllm-training-data"
release = false
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Return a sound repos.toml in the folder that commands run in."""
    path = tmp_path / "repos.toml"
    path.write_text(MANIFEST, encoding="utf-8")
    return path


def test_show_says_what_the_manifest_means(run_cli: RunCli, manifest: Path) -> None:
    manifest.write_text(MANIFEST.replace("release = false", 'history = "squash"\ndrift = "refuse"\nrelease = false'))
    done = run_cli("manifest", "show")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "openllm: 3 repos, 1 target, 2 maps",
        "  version in pyproject.toml; tags v{version}",
        "  never: data/, tests/",
        "",
        "main   https://github.com/louischua/openllm",
        "       source, github, branch main",
        "",
        "space  https://huggingface.co/spaces/lemms/openllm",
        "       target, space, branch main",
        "       core/src/*.py → training/",
        "       configs/*.json → configs/",
        "       owned: app.py, README.md",
        "",
        "data   https://huggingface.co/datasets/lemms/openllm-training-data",
        "       member, dataset, branch main, not in releases, squash, drift refused",
    ]


def test_show_as_json_writes_every_default_out(run_cli: RunCli, manifest: Path) -> None:
    manifest.write_text(MANIFEST + '\n[repos.mirror]\nurl = "file:///srv/mirror.git"\nbranch = "trunk"\n')
    shown = run_cli("manifest", "show", "--json").json()
    assert shown["schema"] == 1
    assert shown["project"] == {
        "name": "openllm",
        "version": ["pyproject.toml"],
        "tag": "v{version}",
        "never": ["data/", "tests/"],
        "lock": "commit",
    }
    assert shown["source"] == "main"
    assert [repo["name"] for repo in shown["repos"]] == ["main", "space", "data", "mirror"]
    assert shown["repos"][1] == {
        "name": "space",
        "kind": "space",
        "id": "lemms/openllm",
        "url": "https://huggingface.co/spaces/lemms/openllm",
        "place": "repos.space",
        "groups": [],
        "role": "target",
        "branch": "main",
        "release": True,
        "tag": None,
        "at": "tip",
        "version": [],
        "history": "full",
        "drift": "merge",
        "owned": ["app.py", "README.md"],
        "submodule": None,
        "maps": [{"from": "core/src/*.py", "to": "training/"}, {"from": "configs/*.json", "to": "configs/"}],
        "publish": [],
    }
    assert (shown["repos"][3]["kind"], shown["repos"][3]["id"], shown["repos"][3]["branch"]) == ("git", None, "trunk")


def test_show_says_how_a_repo_takes_part_in_releases(run_cli: RunCli, manifest: Path) -> None:
    text = MANIFEST.replace("[project]\n", '[project]\nlock = "tag"\n')
    more = 'tag = "code-v{version}"\nat = "synced"\nversion = "VERSION"\nowned'
    manifest.write_text(text.replace("owned", more, 1))
    lines = run_cli("manifest", "show").out.splitlines()
    assert lines[1] == "  version in pyproject.toml; tags v{version}, which carry the lock"
    assert "tags code-v{version}, released as of its last sync, version in VERSION" in "\n".join(lines)


def test_a_manifest_without_a_version_file_and_never_shows_neither(run_cli: RunCli, manifest: Path) -> None:
    manifest.write_text('schema = 1\n[project]\nname = "p"\n[repos.main]\ngithub = "a/b"\nrole = "source"\n')
    assert run_cli("manifest", "show").out.splitlines()[:2] == ["p: 1 repo, 0 targets, 0 maps", ""]


@pytest.mark.usefixtures("manifest")
def test_check_of_a_sound_manifest(run_cli: RunCli) -> None:
    done = run_cli("manifest", "check")
    assert (done.code, done.out) == (0, "repos.toml is sound: 3 repos, 1 target, 2 maps.\n")
    assert run_cli("-q", "manifest", "check").out == ""


def test_check_lists_every_fault_with_its_place(run_cli: RunCli, manifest: Path) -> None:
    manifest.write_text(
        MANIFEST.replace("[repos.space]\nspace", "[repos.space]\nspcae").replace(
            'to = "training/"', 'to = "../training/"'
        )
    )
    done = run_cli("manifest", "check")
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert lines[0].startswith("error: ")
    assert any(line.startswith("  repos.space.spcae: ") and "space" in line for line in lines)
    assert any(line.startswith("  repos.space.map[0].to: ") for line in lines)


@pytest.mark.parametrize("command", [["show"], ["check"], ["remove", "x"], ["set", "a", "b"]])
def test_without_a_manifest_the_next_step_is_named(run_cli: RunCli, command: list[str]) -> None:
    done = run_cli("manifest", *command)
    assert done.code == 2
    assert "repos.toml" in done.err
    assert "Traceback" not in done.err


def test_add_keeps_comments_and_layout(run_cli: RunCli, manifest: Path) -> None:
    done = run_cli(
        *("manifest", "add", "small-7k", "--model", "lemms/openllm-small-extended-7k", "--branch", "trunk"),
        *("--map", "core/models/", "models/", "--owned", "README.md", "--owned", "config.json"),
        *("--history", "squash", "--drift", "refuse", "--no-release"),
    )
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "Added small-7k (model, https://huggingface.co/lemms/openllm-small-extended-7k) to repos.toml;"
        " it now has 4 repos, 2 targets, 3 maps.\n"
        "next: openllm-repos init  # commits and pushes it, and goes on to the first sync\n"
    )
    assert manifest.read_text().startswith(MANIFEST)
    assert tomllib.loads(manifest.read_text())["repos"]["small-7k"] == {
        "model": "lemms/openllm-small-extended-7k",
        "branch": "trunk",
        "history": "squash",
        "drift": "refuse",
        "release": False,
        "owned": ["README.md", "config.json"],
        "map": [{"from": "core/models/", "to": "models/"}],
    }


def test_the_first_repo_begins_a_manifest(run_cli: RunCli, tmp_path: Path) -> None:
    folder = tmp_path / "my project"
    folder.mkdir()
    assert run_cli("manifest", "add", "main", "--github", "a/b", "--source", cwd=folder).code == 0
    assert tomllib.loads((folder / "repos.toml").read_text()) == {
        "schema": 1,
        "project": {"name": "myproject"},
        "repos": {"main": {"github": "a/b", "role": "source"}},
    }


def test_a_manifest_cannot_begin_with_a_repo_that_is_not_the_source(run_cli: RunCli, tmp_path: Path) -> None:
    done = run_cli("manifest", "add", "space", "--space", "a/b")
    assert done.code == 2
    assert "source" in done.err
    assert not (tmp_path / "repos.toml").exists()


def test_a_manifest_cannot_begin_in_a_folder_that_is_not_there(run_cli: RunCli) -> None:
    done = run_cli("--manifest", "no/where.toml", "manifest", "add", "main", "--github", "a/b", "--source")
    assert done.code == 30
    assert "cannot be written: No such file or directory" in done.err


@pytest.mark.parametrize("places", [[], ["--space", "a/b", "--model", "a/b"]])
def test_add_wants_exactly_one_place(run_cli: RunCli, manifest: Path, places: list[str]) -> None:
    before = fingerprint(manifest.parent)
    done = run_cli("manifest", "add", "x", *places)
    assert done.code == 2
    assert "Say where the repo is, with one of --github, --space, --model, --dataset, --url." in done.err
    assert fingerprint(manifest.parent) == before


@pytest.mark.parametrize(
    "command",
    [
        ["add", "space", "--space", "a/b"],
        ["add", "x", "--space", "not an id"],
        ["add", "x", "--space", "a/b", "--map", "data/raw/", "raw/"],
        ["remove", "spcae"],
        ["remove", "main"],
        ["set", "repos.space.branch", "a..b"],
        ["set", "repos.space.map[7].to", "x/"],
        ["set", "repos.space.colour", "red"],
    ],
)
def test_an_edit_that_would_make_the_manifest_unsound_changes_nothing(
    run_cli: RunCli, manifest: Path, command: list[str]
) -> None:
    before = fingerprint(manifest.parent)
    done = run_cli("manifest", *command)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert fingerprint(manifest.parent) == before


def test_remove_takes_one_repo_out_and_leaves_the_rest_as_it_was(run_cli: RunCli, manifest: Path) -> None:
    done = run_cli("manifest", "remove", "data")
    assert done.out == "Removed data from repos.toml; it now has 2 repos, 1 target, 2 maps.\n"
    left = manifest.read_text()
    assert "[repos.data]" not in left
    assert MANIFEST.startswith(left.rstrip("\n"))


def test_set_changes_one_value_and_no_other_byte(run_cli: RunCli, manifest: Path) -> None:
    assert run_cli("manifest", "set", "repos.space.map[1].to", "conf/").out == (
        "Set repos.space.map[1].to in repos.toml.\n"
    )
    assert manifest.read_text() == MANIFEST.replace('to = "configs/"', 'to = "conf/"')


def test_set_takes_lists_with_commas(run_cli: RunCli, manifest: Path) -> None:
    assert run_cli("manifest", "set", "repos.space.owned", "app.py,README.md,LICENSE").code == 0
    assert tomllib.loads(manifest.read_text())["repos"]["space"]["owned"] == ["app.py", "README.md", "LICENSE"]


def test_schema_prints_the_published_schema(run_cli: RunCli) -> None:
    published = Path(__file__).parent.parent.parent / "manifest/repos.schema.json"
    done = run_cli("manifest", "schema")
    assert done.out_bytes == published.read_bytes()
    assert json.loads(done.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_show_lists_what_is_published(run_cli: RunCli) -> None:
    valid = Path(__file__).parents[2] / "manifest/valid/publish.toml"
    lines = run_cli("--manifest", valid, "manifest", "show").out.splitlines()
    assert [line.strip() for line in lines if "publish:" in line] == [
        "publish: exports/space/*.png → pictures/",
        "publish: exports/small-extended-7k/ → .",
        "publish: data/clean/ → data/",
        "publish: data/README.md → README.md",
    ]
    published = run_cli("--manifest", valid, "manifest", "show", "--json").json()["repos"][2]["publish"]
    allow = ["exports/small-extended-7k/example.pem"]
    assert published == [{"from": "exports/small-extended-7k/", "to": ".", "allow": allow}]


def test_many_spaces_are_one_entry_that_is_shown_repo_by_repo(run_cli: RunCli, manifest: Path) -> None:
    done = run_cli("manifest", "add", "eu", "--space", "acme/Oslo", "--space", "acme/riga", "--group", "prod")
    first, second = done.out.splitlines()
    assert (done.code, first) == (0, "Added oslo (space, https://huggingface.co/spaces/acme/Oslo) to eu in repos.toml.")
    assert second.endswith("/riga) to eu in repos.toml; it now has 5 repos, 1 target, 2 maps.")
    more = run_cli("manifest", "add", "eu", "--space", "acme/rome")
    assert more.out.startswith(
        "Added rome (space, https://huggingface.co/spaces/acme/rome) to eu in repos.toml; it now"
    )
    assert manifest.read_text(encoding="utf-8").endswith(
        '\n[repos.eu]\nspaces = ["acme/Oslo", "acme/riga", "acme/rome"]\ngroups = ["prod"]\n'
    )
    assert run_cli("manifest", "show").out.splitlines()[-4:] == [
        "oslo   https://huggingface.co/spaces/acme/Oslo",
        "riga   https://huggingface.co/spaces/acme/riga",
        "rome   https://huggingface.co/spaces/acme/rome",
        "       member, space, branch main, groups eu, prod",
    ]
    shown = run_cli("manifest", "show", "--json").json()["repos"][-1]
    assert (shown["place"], shown["groups"]) == ("repos.eu.spaces[2]", ["eu", "prod"])
