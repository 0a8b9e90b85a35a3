"""`init`: from nothing to a manifest that works, without a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.manifest import Manifest, Role
from tests.support.fingerprint import listing
from tests.support.hosts import SOURCE, SOURCE_FILES, SPACE, Hosts
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result
    from tests.support.sealed import SealedHome

SPACE_FILES = {"app.py": "app\n", "README.md": "---\ntitle: x\n---\n", ".gitattributes": "*.bin filter=lfs\n"}


@pytest.fixture
def space(hosts: Hosts) -> Bare:
    """Return a Space that has its own files and nothing of the source."""
    return hosts.hub(f"spaces/{SPACE}", SPACE_FILES)


def init(run_cli: RunCli, hosts: Hosts, *args: str, code: int = 0) -> Result:
    done = run_cli("init", *args, cwd=hosts.clone.path)
    assert done.code == code, (done.out, done.err)
    return done


EXPECTED = """\
# Which repositories belong together, and what goes from where to where. openllm-repos reads this file.
#   openllm-repos manifest check     every fault, with its place
#   openllm-repos sync --dry-run     what would go where; changes nothing
schema = 1

[project]
name = "openllm"
version = "pyproject.toml"                             # where the version stands
never = ["data/", "docs/", "exports/", "tests/"]       # these never leave the source

[repos.main]
github = "louischua/openllm"                           # here the code is written
role = "source"

[repos.space]
space = "lemms/openllm"
owned = [".gitattributes", "README.md", "app.py"]      # only this repo writes these

[[repos.space.map]]
from = "core/src/*.py"                                 # this folder only; "core/src/**/*.py": all below it too
to = "core/"

[[repos.space.map]]
from = "configs/*.json"
to = "configs/"

[repos.small-7k]
model = "lemms/openllm-small-7k"

[repos.training-data]
dataset = "lemms/openllm-training-data"
"""


@pytest.mark.usefixtures("space")
def test_the_whole_family_from_three_ids(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.hub("lemms/openllm-small-7k")
    hosts.hub("datasets/lemms/openllm-training-data")
    flags = ("--space", SPACE, "--model", "lemms/openllm-small-7k", "--dataset", "lemms/openllm-training-data")
    done = init(run_cli, hosts, *flags)
    assert hosts.manifest() == EXPECTED
    assert "Wrote repos.toml: 4 repos, 1 target, 2 maps." in done.out
    assert hosts.remotes() == {
        "origin": f"https://github.com/{SOURCE}",
        "space": f"https://huggingface.co/spaces/{SPACE}",
        "small-7k": "https://huggingface.co/lemms/openllm-small-7k",
        "training-data": "https://huggingface.co/datasets/lemms/openllm-training-data",
    }
    assert run_cli("manifest", "check", cwd=hosts.clone.path).code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("space")
def test_what_it_wrote_can_be_synced_at_once(run_cli: RunCli, hosts: Hosts, space: Bare) -> None:
    init(run_cli, hosts, "--space", SPACE, "--map", "core/src/*.py", "training/")
    hosts.clone.commit("Say what belongs together")
    hosts.clone.git("push", "-q", "origin", "main")
    assert run_cli("sync", "--yes", cwd=hosts.clone.path).code == 0
    assert space.read("training/model.py") == SOURCE_FILES["core/src/model.py"].encode()
    hosts.clone.git("fetch", "-q", "space")
    assert hosts.clone.tip("refs/remotes/space/main") == space.tip("main")


@pytest.mark.usefixtures("space")
def test_a_remote_of_ours_fetches_one_branch_and_no_tags(run_cli: RunCli, hosts: Hosts, space: Bare) -> None:
    space.git("branch", "experiment", "main")
    space.git("tag", "v1", "main")
    init(run_cli, hosts, "--space", SPACE)
    hosts.clone.git("fetch", "-q", "space")
    fetched = {ref for ref in hosts.clone.tips() if not ref.startswith(("refs/heads/", "refs/remotes/origin/"))}
    assert fetched == {"refs/remotes/space/main"}


def test_the_hook_is_installed_beside_one_that_is_there(run_cli: RunCli, hosts: Hosts, space: Bare) -> None:
    """It says where; the person's own hook still runs, and `hooks uninstall` puts everything back."""
    mine = hosts.clone.path / ".git/hooks/pre-push"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("#!/bin/sh\nexit 0\n")
    mine.chmod(0o755)
    assert f"installed the pre-push hook: {mine}\n" in init(run_cli, hosts, "--space", SPACE).out
    assert run_cli("hooks", "status", cwd=hosts.clone.path).code == 0
    assert run_cli("hooks", "uninstall", cwd=hosts.clone.path).code == 0
    assert mine.read_text() == "#!/bin/sh\nexit 0\n"
    assert space.tips()


@pytest.mark.usefixtures("space")
def test_without_the_hook_where_that_is_asked_for(run_cli: RunCli, hosts: Hosts) -> None:
    assert "hook" not in init(run_cli, hosts, "--space", SPACE, "--no-hooks").out
    assert not (hosts.clone.path / ".git/hooks/pre-push").exists()


@pytest.mark.usefixtures("space")
def test_a_hooks_folder_elsewhere_is_told_and_left_alone(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.git("config", "core.hooksPath", ".husky")
    done = init(run_cli, hosts, "--space", SPACE)
    assert "no pre-push hook: core.hooksPath is '.husky'" in done.out
    assert (hosts.clone.path / "repos.toml").exists()


@pytest.mark.usefixtures("space")
def test_run_twice_it_changes_nothing_and_says_so(run_cli: RunCli, hosts: Hosts) -> None:
    init(run_cli, hosts, "--space", SPACE)
    before = listing(hosts.folder)
    done = init(run_cli, hosts, "--space", SPACE)
    assert listing(hosts.folder) == before
    said = "repos.toml is sound, and this clone is set up: its git remotes and hook were as they should be.\n"
    assert done.out.startswith(said)
    assert "What the options say was not written into it." in done.out
    assert "openllm-repos manifest add NAME --space OWNER/NAME" in done.out


def test_where_there_is_only_a_source_it_says_how_to_name_a_target(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, "--yes")
    assert "Wrote repos.toml: 1 repo, 0 targets, 0 maps." in done.out
    assert "openllm-repos manifest add space --space OWNER/NAME --map FROM TO" in done.out


@pytest.mark.usefixtures("space")
def test_a_manifest_from_a_colleague_gets_its_git_remotes(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.write({"repos.toml": EXPECTED})
    looked = init(run_cli, hosts, "--dry-run")
    assert "would add space" in looked.out
    assert set(hosts.remotes()) == {"origin"}
    done = init(run_cli, hosts)
    hook = hosts.clone.path / ".git/hooks/pre-push"
    added = f"git remotes space, small-7k, training-data; installed the pre-push hook: {hook}"
    assert done.out == f"repos.toml is sound, and this clone is set up: {added}.\n"
    assert set(hosts.remotes()) == {"origin", "space", "small-7k", "training-data"}
    assert hosts.manifest() == EXPECTED


def test_a_manifest_that_is_unsound_is_told_and_left_alone(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.write({"repos.toml": "schema = 2\n"})
    done = init(run_cli, hosts, code=2)
    assert "repos.toml has" in done.err
    assert hosts.manifest() == "schema = 2\n"
    assert set(hosts.remotes()) == {"origin"}


@pytest.mark.usefixtures("space")
def test_a_dry_run_prints_the_manifest_and_leaves_no_trace(run_cli: RunCli, hosts: Hosts) -> None:
    before = listing(hosts.folder)
    done = init(run_cli, hosts, "--space", SPACE, "--dry-run")
    assert listing(hosts.folder) == before
    assert Manifest.parse(done.out).target("space").maps


def test_looking_at_a_space_takes_nothing_of_it_into_the_clone(run_cli: RunCli, hosts: Hosts, space: Bare) -> None:
    init(run_cli, hosts, "--space", SPACE)
    found = hosts.clone.run("cat-file", "-e", space.tip("main"), ok=(0, 1, 128))
    assert found.code != 0
    assert "promisor" not in hosts.config()
    assert not (hosts.clone.path / ".git/shallow").exists()


@pytest.mark.usefixtures("space")
def test_looking_at_a_space_runs_no_hook_of_the_clone(run_cli: RunCli, hosts: Hosts, tmp_path: Path) -> None:
    hook = tmp_path / "hooks/reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    hosts.clone.git("config", "core.hooksPath", str(hook.parent))
    init(run_cli, hosts, "--space", SPACE)
    assert not (tmp_path / "ran").exists()
    hosts.clone.git("fetch", "-q", "space")
    assert (tmp_path / "ran").exists()


def test_a_space_filled_by_copying_gets_its_maps_from_what_is_there_and_adopt_is_named(
    run_cli: RunCli, hosts: Hosts
) -> None:
    copied = {"training/model.py": SOURCE_FILES["core/src/model.py"], "training/data_loader.py": "edited there\n"}
    hosts.hub(f"spaces/{SPACE}", {**SPACE_FILES, **copied})
    done = init(run_cli, hosts, "--space", SPACE)
    [entry] = Manifest.parse(hosts.manifest()).target("space").maps
    assert (entry.source.text, entry.written_to) == ("core/src/*.py", "training/")
    assert "space has 2 files already where the maps write; what was copied there is adopted before a sync." in done.out


@pytest.mark.usefixtures("space")
def test_flags_are_taken_as_they_are(run_cli: RunCli, hosts: Hosts) -> None:
    maps = ("--map", "core/src/*.py", "lib/", "--map", "docs/*.md", "help/")
    init(run_cli, hosts, "--space", SPACE, *maps, "--never", "data/", "--owned", "app.py", "--owned", "assets/")
    read = Manifest.parse(hosts.manifest())
    assert [pattern.text for pattern in read.project.never] == ["data/"]
    assert [pattern.text for pattern in read.target("space").owned] == ["app.py", "assets/"]
    assert [entry.source.text for entry in read.target("space").maps] == ["core/src/*.py", "docs/*.md"]


@pytest.mark.usefixtures("space")
def test_what_a_map_was_asked_to_read_is_not_kept_back(run_cli: RunCli, hosts: Hosts) -> None:
    init(run_cli, hosts, "--space", SPACE, "--map", "docs/*.md", "help/")
    assert [pattern.text for pattern in Manifest.parse(hosts.manifest()).project.never] == [
        "data/",
        "exports/",
        "tests/",
    ]


@pytest.mark.usefixtures("space")
def test_flags_that_contradict_each_other_write_nothing(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, "--space", SPACE, "--map", "docs/*.md", "help/", "--never", "docs/", code=2)
    assert "repos.space.map[0].from: can read" in done.err
    assert not (hosts.clone.path / "repos.toml").exists()
    assert set(hosts.remotes()) == {"origin"}


def test_a_space_whose_browser_address_was_copied(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.hub(f"spaces/{SPACE}")
    init(run_cli, hosts, "--space", f"https://huggingface.co/spaces/{SPACE}/tree/main")
    assert f'space = "{SPACE}"' in hosts.manifest()


def test_an_id_that_is_something_else_is_told_as_what_it_is(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, "--space", "https://huggingface.co/lemms/x", code=2)
    assert "is a model, not a Space" in done.err
    assert "hint: Give it as what it is: --model lemms/x" in done.err


def test_a_pattern_without_quotes_is_explained(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, "--map", "core/src/data_loader.py", "core/src/model.py", "training/", code=2)
    assert "Put patterns in quotes" in done.err


def test_an_id_without_a_flag_is_asked_for_one(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, SPACE, code=2)
    assert f"What is '{SPACE}'? Say it: --space, --model, --dataset ..." in done.err


@pytest.mark.usefixtures("space")
def test_a_map_that_takes_no_file_is_told_at_once(run_cli: RunCli, hosts: Hosts) -> None:
    maps = ("--map", "core/src", "training/", "--map", "croe/*.py", "lib/")
    told = [
        "note: repos.toml: repos.space.map[0].from: core/src is a folder; write core/src/ to take all of it.",
        "note: repos.toml: repos.space.map[1].from: croe/*.py matches no file",
    ]
    looked = init(run_cli, hosts, "--space", SPACE, *maps, "--dry-run")
    done = init(run_cli, hosts, "--space", SPACE, *maps)
    assert [note for note in told if note not in looked.err or note not in done.out] == []


def test_an_id_that_does_not_exist_is_told_and_nothing_is_written(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, "--space", "lemms/opnllm", code=30)
    assert "space lemms/opnllm does not answer" in done.err
    assert "--offline" in done.err
    assert not (hosts.clone.path / "repos.toml").exists()
    assert set(hosts.remotes()) == {"origin"}


def test_offline_it_is_written_down_unseen_with_the_usual_files_of_a_space(run_cli: RunCli, hosts: Hosts) -> None:
    init(run_cli, hosts, "--space", "lemms/not-yet", "--offline")
    owned = [pattern.text for pattern in Manifest.parse(hosts.manifest()).target("space").owned]
    assert owned == ["app.py", "requirements.txt", "README.md"]


def test_without_a_space_there_is_nothing_that_maps_could_go_to(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts, "--map", "core/src/*.py", "training/", code=2)
    assert "no Space is named" in done.err


def test_the_source_alone_is_a_manifest_too(run_cli: RunCli, hosts: Hosts) -> None:
    done = init(run_cli, hosts)
    read = Manifest.parse(hosts.manifest())
    assert [(repo.name, repo.role) for repo in read.repos] == [("main", Role.SOURCE)]
    assert "sync --dry-run" not in done.out


def test_a_space_that_nothing_of_the_source_fits_gets_an_example(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.hub(f"spaces/{SPACE}")
    hosts.clone.git("rm", "-rq", "core", "configs")
    hosts.clone.commit("Only texts")
    init(run_cli, hosts, "--space", SPACE)
    assert "# [[repos.space.map]]" in hosts.manifest()
    assert Manifest.parse(hosts.manifest()).targets == ()
    step = "hint: Say in repos.toml what goes to space: below its entry [[repos.space.map]] with from ="
    for command in (("sync",), ("adopt", "space")):
        assert step in run_cli(*command, cwd=hosts.clone.path).err


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("git@github.com:LouisChua/OpenLLM.git", 'github = "LouisChua/OpenLLM"'),
        ("ssh://git@github.com/LouisChua/OpenLLM", 'github = "LouisChua/OpenLLM"'),
        ("https://gitlab.com/ada/engine.git", 'url = "https://gitlab.com/ada/engine"'),
        ("gh:LouisChua/OpenLLM", 'github = "LouisChua/OpenLLM"'),
    ],
)
def test_the_source_is_read_from_any_spelling_of_origin(
    run_cli: RunCli, clone: Clone, home: SealedHome, url: str, line: str
) -> None:
    home.set("url.ssh://git@github.com/.insteadOf", "gh:")
    clone.commit("Start", {"a.py": "1\n"})
    clone.git("remote", "add", "origin", url)
    done = run_cli("init", "--yes", "--offline", cwd=clone.path)
    assert (done.code, done.err) == (0, "")
    assert line in (clone.path / "repos.toml").read_text().replace(" " * 10, " ")
    # what git alone can expand is not known for the same repository again
    assert clone.git("remote").split() == (["main", "origin"] if url.startswith("gh:") else ["origin"])


def test_without_origin_it_asks_for_the_source(run_cli: RunCli, clone: Clone) -> None:
    clone.commit("Start", {"a.py": "1\n"})
    done = run_cli("init", "--yes", cwd=clone.path)
    assert done.code == 2
    assert "Where is the source?" in done.err
    assert "--github owner/name" in done.err


@pytest.mark.parametrize("options", [(), ("--space", "lemms/openllm"), ("--yes",)])
def test_in_a_clone_of_the_space_it_writes_and_pushes_nothing(
    run_cli: RunCli, clone: Clone, options: tuple[str, ...]
) -> None:
    clone.commit("Start", {"app.py": "1\n"})
    clone.git("remote", "add", "origin", "https://huggingface.co/spaces/lemms/openllm")
    done = run_cli("init", *options, cwd=clone.path)
    assert (done.code, clone.git("status", "--porcelain")) == (2, "")
    assert "a clone of the space lemms/openllm, and init begins where the code is written" in done.err
    assert "hint: Go to the clone of the source" in done.err


def test_github_names_the_source_where_origin_does_not(run_cli: RunCli, hosts: Hosts) -> None:
    hosts.clone.git("remote", "remove", "origin")
    init(run_cli, hosts, "--github", SOURCE)
    assert hosts.remotes() == {"main": f"https://github.com/{SOURCE}"}


def test_outside_of_a_clone_it_says_where_to_go(run_cli: RunCli, tmp_path: Path) -> None:
    done = run_cli("init", cwd=tmp_path)
    assert done.code == 2
    assert "is not inside a git clone" in done.err


def test_a_bare_clone_has_no_place_for_a_manifest(run_cli: RunCli, bare: Bare) -> None:
    done = run_cli("init", cwd=bare.path)
    assert done.code == 2
    assert "bare clone" in done.err


def test_from_a_folder_below_it_is_written_at_the_top(run_cli: RunCli, hosts: Hosts) -> None:
    done = run_cli("init", "--yes", cwd=hosts.clone.path / "core/src")
    assert done.code == 0
    assert hosts.manifest()


def test_before_the_first_commit_there_is_nothing_to_propose(run_cli: RunCli, hosts: Hosts, tmp_path: Path) -> None:
    hosts.hub(f"spaces/{SPACE}")
    fresh = Clone.init(tmp_path / "fresh")
    done = run_cli("init", "--github", SOURCE, "--space", SPACE, cwd=fresh.path)
    assert done.code == 0
    assert "[[repos" not in (fresh.path / "repos.toml").read_text().replace("# [[repos", "")


def test_a_source_on_another_branch_than_main_says_so(run_cli: RunCli, clone: Clone) -> None:
    clone.commit("Start", {"VERSION": "1.0\n"})
    clone.git("branch", "-m", "main", "trunk")
    clone.git("remote", "add", "origin", f"https://github.com/{SOURCE}")
    assert run_cli("init", "--yes", "--offline", cwd=clone.path).code == 0
    read = Manifest.load(clone.path / "repos.toml")
    assert (read.source.branch, read.project.version) == ("trunk", ("VERSION",))


def test_the_main_branch_is_that_of_origin_where_somebody_works_on_another(
    run_cli: RunCli, hosts: Hosts, tmp_path: Path
) -> None:
    (hosts.folder / "github" / SOURCE / "HEAD").write_text("ref: refs/heads/trunk\n")
    hosts.clone.git("push", "-q", "origin", "main:trunk")
    fresh = Clone.of(f"https://github.com/{SOURCE}", tmp_path / "fresh")
    fresh.git("checkout", "-q", "-b", "topic")
    fresh.git("branch", "-D", "trunk")
    assert run_cli("init", cwd=fresh.path).code == 0
    assert Manifest.load(fresh.path / "repos.toml").source.branch == "trunk"


def test_a_file_that_cannot_be_written_is_told(run_cli: RunCli, hosts: Hosts) -> None:
    done = run_cli("--manifest", "nowhere/repos.toml", "init", "--yes", cwd=hosts.clone.path)
    assert done.code == 30
    assert "cannot be written" in done.err
    assert set(hosts.remotes()) == {"origin"}


def test_two_repos_of_one_name_get_two_names(run_cli: RunCli, hosts: Hosts) -> None:
    flags = ("--model", "lemms/openllm", "--model", "ada/openllm", "--model", "ada/origin", "--dataset", "ada/con")
    init(run_cli, hosts, *flags, "--offline")
    names = [str(repo.name) for repo in Manifest.parse(hosts.manifest()).repos]
    assert names == ["main", "model", "model-2", "model-origin", "dataset-con"]


def test_a_space_that_answers_but_does_not_send_its_files(run_cli: RunCli, hosts: Hosts, space: Bare) -> None:
    tree = space.git("rev-parse", "main^{tree}")
    (space.path / "objects" / tree[:2] / tree[2:]).unlink()
    done = init(run_cli, hosts, "--space", SPACE, code=30)
    assert "space lemms/openllm does not answer: git fetch failed" in done.err
    assert not (hosts.clone.path / "repos.toml").exists()


def test_a_dead_end_for_a_manifest_is_left_as_it_is(run_cli: RunCli, hosts: Hosts) -> None:
    (hosts.clone.path / "repos.toml").symlink_to("nowhere.toml")
    done = init(run_cli, hosts, "--yes", code=2)
    assert "is there already" in done.err
    assert set(hosts.remotes()) == {"origin"}


def test_quiet_says_nothing(run_cli: RunCli, hosts: Hosts) -> None:
    for _ in range(2):
        assert run_cli("-q", "init", cwd=hosts.clone.path).out == ""


def test_the_hint_for_a_missing_manifest_names_init(run_cli: RunCli, hosts: Hosts) -> None:
    assert "openllm-repos init  # writes one" in run_cli("status", cwd=hosts.clone.path).err
