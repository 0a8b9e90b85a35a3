"""Editing a manifest: comments and layout stay, and what comes out is sound or nothing is written."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from openllm_repos.errors import ManifestError, UsageError
from openllm_repos.manifest import Manifest, Role
from openllm_repos.manifest.edit import add_repo, edit_file, remove_repo, set_value

FAMILY = """\
# The family.
schema = 1

[project]
name = "openllm"  # for people
never = ["data/"]

# ---- code ----

# The source.
[repos.main]
github = "louischua/openllm"   # the kind is the key
role = "source"

# ---- what runs ----

# The Space.
[repos.space]
space = "lemms/openllm"

# What it trains with.
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"

# ---- models ----

# The small one.
[repos.small]
model = "lemms/small"

# The end.
"""


def changed(before: str, after: str) -> list[str]:
    """Return the lines that came (+) and went (-)."""
    import difflib

    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_a_value_is_changed_and_nothing_else() -> None:
    after = set_value(FAMILY, "project.name", "OpenLLM")
    assert changed(FAMILY, after) == ['- name = "openllm"  # for people', '+ name = "OpenLLM"  # for people']


def test_a_new_key_stands_below_the_others_and_above_the_comments_that_follow() -> None:
    after = set_value(FAMILY, "repos.space.history", "squash")
    assert changed(FAMILY, after) == ['+ history = "squash"']
    assert 'space = "lemms/openllm"\nhistory = "squash"\n\n# What it trains with.\n' in after
    after = set_value(FAMILY, "repos.main.branch", "develop")
    assert 'role = "source"\nbranch = "develop"\n\n# ---- what runs ----\n' in after


def test_a_hub_of_ones_own_gets_its_table_where_there_is_none() -> None:
    after = set_value(FAMILY, "hosts.hub", "https://hub.example.com")
    assert changed(FAMILY, after) == ["+ ", "+ [hosts]", '+ hub = "https://hub.example.com"']
    again = set_value(after, "hosts.hub", "https://other.example.com")
    assert Manifest.parse(again).repo("space").url == "https://other.example.com/spaces/lemms/openllm"
    with pytest.raises(ManifestError, match="has 1 fault"):
        set_value(FAMILY, "hosts.hub", "http://hub.example.com")


def test_a_table_that_may_be_left_out_is_begun_at_the_end() -> None:
    after = set_value(FAMILY, "hooks.offline", "allow")
    assert after == f'{FAMILY}\n[hooks]\noffline = "allow"\n'
    assert set_value(after, "hooks.offline", "refuse") == after.replace("allow", "refuse")


def test_a_key_of_a_map_is_named_by_its_index() -> None:
    after = set_value(FAMILY, "repos.space.map[0].to", "src/")
    assert changed(FAMILY, after) == ['- to = "training/"', '+ to = "src/"']


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        ("repos.space.release", "false", "release = false"),
        ("repos.space.owned", "app.py, README.md", 'owned = ["app.py", "README.md"]'),
        ("repos.space.owned", '["a,b.py"]', 'owned = ["a,b.py"]'),
        ("repos.space.owned", "", "owned = []"),
        ("project.version", "pyproject.toml", 'version = "pyproject.toml"'),
        ("project.version", "VERSION,x.py", 'version = ["VERSION", "x.py"]'),
        ('repos."small".branch', "v2", 'branch = "v2"'),
        ("repos.'small'.branch", 'a"b\\', None),
        ("x-note", "mine", 'x-note = "mine"'),
    ],
)
def test_values_are_typed_by_their_key(place: str, value: str, line: str | None) -> None:
    if line is None:
        with pytest.raises(ManifestError):
            set_value(FAMILY, place, value)
    else:
        assert changed(FAMILY, set_value(FAMILY, place, value)) == [f"+ {line}"]


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("repos.space.branch", "a b", "repos.space.branch: 'a b' is not a branch name"),
        ("repos.space.release", "yes", "repos.space.release: is text; write true or false"),
        ("schema", "2", "schema: is newer than this"),
        ("schema", "one", "schema: is text"),
        ("repos.space.brnch", "x", "repos.space.brnch: is not a key here; did you mean 'branch'?"),
        ("repos.space.owned", "training", "repos.space.map[0].to: can write 'training/a.py', which owned[0]"),
        ("repos.space.role", "source", "repos.space.role: is a second source"),
    ],
)
def test_an_edit_that_would_make_the_manifest_unsound_is_refused(place: str, value: str, fault: str) -> None:
    with pytest.raises(ManifestError) as refused:
        set_value(FAMILY, place, value)
    assert any(found.startswith(fault) for found in refused.value.faults)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("repos.spcae.branch", "has no repos.spcae; did you mean 'space'?"),
        ("repos.space.map[1].to", r"has no repos.space.map\[1\]"),
        ("repos.space.space.x", "repos.space.space in repos.toml is not a table"),
        ("repos.space.space.x.y", "has no repos.space.space.x"),
        ("repos[0].x", r"has no repos\[0\]"),
        ("repos.space", "is not one value"),
        ("repos.space.map", "is not one value"),
        ("repos.space.map[0]", "is not a table|is not one value"),
        ("", "is not a place"),
        (".repos", "is not a place"),
        ("repos..space", "is not a place"),
        ("repos space", "is not a place"),
    ],
)
def test_a_place_that_is_not_there_is_said(place: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        set_value(FAMILY, place, "x")


def test_a_broken_array_is_refused() -> None:
    with pytest.raises(UsageError, match="is not an array of TOML"):
        set_value(FAMILY, "repos.space.owned", '["a", ')


def test_a_removed_repo_takes_its_own_comment_along_and_leaves_the_others() -> None:
    after = remove_repo(FAMILY, "space")
    assert "# The Space." not in after
    assert "training" not in after
    assert "# ---- what runs ----\n" in after
    assert "# ---- models ----\n\n# The small one.\n[repos.small]\n" in after
    assert [line for line in changed(FAMILY, after) if line[0] == "+"] == []


def test_the_last_repo_leaves_the_end_of_the_file() -> None:
    after = remove_repo(FAMILY, "small")
    assert after.endswith("# ---- models ----\n\n# The end.\n")
    assert Manifest.parse(after).targets[0].name == "space"


def test_tables_out_of_order_and_comments_without_blank_lines() -> None:
    text = (
        'schema = 1\n[repos.a]\nspace = "x/a"\n# of b\n[repos.b]\nspace = "x/b"\n[project]\nname = "p"\n'
        '[repos.c]\nspace = "x/c"\n# of d\n[repos.d]\ngithub = "x/d"\nrole = "source"\n'
    )
    assert changed(text, remove_repo(text, "a")) == ["- [repos.a]", '- space = "x/a"']
    assert changed(text, remove_repo(text, "c")) == ["- [repos.c]", '- space = "x/c"']
    assert changed(text, set_value(text, "repos.c.branch", "dev")) == ['+ branch = "dev"']


def test_repos_written_inline_can_be_changed_and_removed() -> None:
    text = (
        'schema = 1\nproject = { name = "p" }\n[repos]\nmain = { github = "a/b", role = "source" }\nx.model = "a/x"\n'
    )
    assert Manifest.parse(set_value(text, "repos.main.branch", "dev")).source.branch == "dev"
    assert Manifest.parse(set_value(text, "project.tag", "r{version}")).project.tag == "r{version}"
    assert [repo.name for repo in Manifest.parse(remove_repo(text, "x")).repos] == ["main"]


def test_a_repo_with_only_a_map_header_can_get_a_key() -> None:
    broken = FAMILY.replace('[repos.space]\nspace = "lemms/openllm"\n', "")
    assert Manifest.parse(set_value(broken, "repos.space.space", "lemms/openllm")).repo("space").role is Role.TARGET


def test_a_repo_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(UsageError, match="has no repo 'spcae'; did you mean 'space'"):
        remove_repo(FAMILY, "spcae")


def test_the_source_cannot_be_removed() -> None:
    with pytest.raises(ManifestError) as refused:
        remove_repo(FAMILY, "main")
    assert refused.value.faults[0].startswith("repos: no repo is the source")


def test_a_repo_is_added_at_the_end_with_its_maps() -> None:
    after = add_repo(
        FAMILY,
        "data.v2",
        {"dataset": "lemms/data", "release": False, "owned": ["README.md"]},
        [("configs/*.json", "configs/"), ("core/cards/", "cards/")],
    )
    assert after.startswith(FAMILY)
    repo = Manifest.parse(after).repo("data.v2")
    assert (repo.url, repo.release, len(repo.maps)) == ("https://huggingface.co/datasets/lemms/data", False, 2)
    assert '\n\n[repos."data.v2"]\ndataset = "lemms/data"\n' in after


def test_a_repo_is_added_to_a_file_without_a_last_newline_and_with_those_of_windows() -> None:
    assert Manifest.parse(add_repo(FAMILY.rstrip("\n"), "x", {"model": "a/x"})).repo("x").repo_id == "a/x"
    windows = FAMILY.replace("\n", "\r\n")
    after = set_value(add_repo(windows, "x", {"model": "a/x"}), "repos.small.branch", "v2")
    assert after.count("\n") == after.count("\r\n")
    assert Manifest.parse(after).repo("small").branch == "v2"


def test_a_name_that_is_taken_and_a_repo_that_is_unsound_are_not_added() -> None:
    with pytest.raises(UsageError, match="has a repo 'small' already"):
        add_repo(FAMILY, "small", {"model": "a/x"})
    with pytest.raises(ManifestError):
        add_repo(FAMILY, "x", {"model": "x"})


@pytest.mark.parametrize("edit", [partial(add_repo, name="x", fields={}), partial(remove_repo, name="x")])
def test_what_is_not_toml_cannot_be_edited(edit: partial[str]) -> None:
    with pytest.raises(ManifestError, match="is not TOML"):
        edit("[repos")
    with pytest.raises((ManifestError, UsageError)):
        edit("repos = 1")


def test_a_file_is_changed_in_place_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "real.toml"
    file.write_text(FAMILY)
    file.chmod(0o640)
    link = tmp_path / "repos.toml"
    link.symlink_to(file)
    manifest = edit_file(link, partial(set_value, place="repos.small.branch", value="v2"))
    assert manifest == Manifest.load(link)
    assert manifest.repo("small").branch == "v2"
    assert link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["real.toml", "repos.toml"]


def test_an_edit_that_is_refused_or_changes_nothing_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "repos.toml"
    file.write_text(FAMILY)
    before = file.stat()
    with pytest.raises(ManifestError):
        edit_file(file, partial(set_value, place="repos.small.branch", value="a b"))
    edit_file(file, partial(set_value, place="project.name", value="openllm"))
    assert file.stat().st_ino == before.st_ino
    assert file.read_text() == FAMILY


def test_a_disk_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "repos.toml"
    file.write_text(FAMILY)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ManifestError, match="cannot be changed: No space left on device"):
        edit_file(file, partial(set_value, place="repos.small.branch", value="v2"))
    assert file.read_text() == FAMILY
    assert [path.name for path in tmp_path.iterdir()] == ["repos.toml"]


def test_a_file_that_is_not_there_or_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no manifest"):
        edit_file(tmp_path / "repos.toml", str)
    (tmp_path / "repos.toml").write_bytes(b"\xff")
    with pytest.raises(ManifestError, match="is not UTF-8"):
        edit_file(tmp_path / "repos.toml", str)
