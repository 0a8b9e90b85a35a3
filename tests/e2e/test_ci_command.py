"""`openllm-repos ci`, as a person types it, and what is judged of the workflow by others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from openllm_repos import __version__
from openllm_repos.manifest import Manifest
from openllm_repos.workflow.choices import Auth, Choices, Cron, Requirement
from openllm_repos.workflow.file import Found, Recipe, composed
from tests.support.inprocess import RunCli
from tests.support.needs import need_program
from tests.support.process import Result
from tests.support.repositories import Clone

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/openllm"
WORKFLOW = ".github/workflows/openllm-repos.yml"
OURS = (EXAMPLE / "repos.toml").read_text(encoding="utf-8")
ODD = """
schema = 1
[project]
name = "odd"
tag = "rel+#{version}"
[hosts]
hub = "https://hub.example.com"
[repos.main]
github = "louischua/openllm"
role = "source"
branch = "feature/+x@y=#,1"
[repos.code]
github = "louischua/other"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "it's/a+b/[[]x]/f?o*?.p[yi]"
to = "a/"
[[repos.space.map]]
from = "!x/**/z[!a].py"
to = "b/"
"""
TOOL = "louischua/openllm-repos"
NO_HUB = 'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "https://git.example.com/a/b"\nrole = "source"\n'


class Source:
    """The clone of a source with a manifest, where `ci` is typed."""

    def __init__(self, clone: Clone, run: RunCli, manifest: str = OURS) -> None:
        self.path = clone.path
        self.workflow = clone.path / WORKFLOW
        self._run = run
        (clone.path / "repos.toml").write_text(manifest, encoding="utf-8")

    def ci(self, *options: str) -> Result:
        return self._run("ci", *options, cwd=self.path)

    def written(self, *options: str) -> str:
        done = self.ci(*options)
        assert done.code == 0, done.err
        return self.workflow.read_text(encoding="utf-8")


@pytest.fixture
def source(clone: Clone, run_cli: RunCli) -> Source:
    """Return the clone of OpenLLM's source, without a workflow."""
    return Source(clone, run_cli)


def test_the_workflow_is_written_and_then_up_to_date(source: Source) -> None:
    missing = source.ci("--check")
    assert (missing.code, missing.out) == (1, f"{WORKFLOW} is not there.\nnext: openllm-repos ci\n")
    done = source.ci()
    assert done.out.startswith(f"Wrote {WORKFLOW}: sync, release, preview, drift.\nnext:\n")
    assert "  https://huggingface.co/spaces/lemms/openllm/settings\n" in done.out
    assert f"  git add {WORKFLOW} && git commit -m 'Let GitHub keep the family in step' && git push\n" in done.out
    assert source.ci("--check").out == f"{WORKFLOW} is up to date.\n"
    before = source.workflow.stat().st_mtime_ns
    assert source.ci().out == f"{WORKFLOW} is up to date.\n"
    assert source.workflow.stat().st_mtime_ns == before


def test_the_next_step_can_be_typed_in_a_folder_of_the_clone(source: Source, run_cli: RunCli) -> None:
    (source.path / "core/src").mkdir(parents=True, exist_ok=True)
    done = run_cli("ci", cwd=source.path / "core/src")
    assert f"  git add ../../{WORKFLOW} && git commit" in done.out


def test_a_fleet_is_told_of_a_dozen_settings_pages_and_of_the_other_way(source: Source) -> None:
    more = "".join(f'[repos.t{at}]\nmodel = "lemms/t{at}"\n' for at in range(30))
    (source.path / "repos.toml").write_text(OURS + more, encoding="utf-8")
    out = source.ci().out
    assert out.count("/settings\n") == 12
    assert "and 22 more; or give all of them one secret: openllm-repos ci --auth secret" in out


def test_jobs_install_what_was_installed_here_from_git(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of which no package index knows would turn every job red."""

    def installed_at(commit: str) -> None:
        said = {"url": f"https://github.com/{TOOL}", "vcs_info": {"vcs": "git", "commit_id": commit}}
        monkeypatch.setattr("openllm_repos.cli.ci._origin", lambda: json.dumps(said))

    installed_at("0123abc")
    required = f"REQUIREMENT: 'openllm-repos @ git+https://github.com/{TOOL}@"
    assert f"{required}0123abc'" in source.written()
    installed_at("4567def")
    assert source.ci("--check").code == 0
    assert f"{required}4567def'" in source.written()
    assert "REQUIREMENT: 'openllm-repos==" in source.written("--install", "default")
    assert "REQUIREMENT: 'openllm-repos==" in source.written()


def test_a_version_that_may_be_on_no_package_index_is_told(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openllm_repos.cli.ci._origin", lambda: '{"url": "file:///src", "dir_info": {}}')
    assert "from the package index, and this one is not from there" in source.ci().out
    monkeypatch.setattr("openllm_repos.cli.ci._origin", lambda: None)
    assert "package index" not in source.ci("--cron", "off").out


def test_it_can_be_looked_at_first(source: Source) -> None:
    shown = source.ci("--print").out
    assert not source.workflow.exists()
    assert shown == source.written()


def test_a_change_of_the_manifest_makes_it_stale(source: Source) -> None:
    source.written()
    manifest = source.path / "repos.toml"
    manifest.write_text(OURS.replace("configs/*.json", "configs/**/*.json"), encoding="utf-8")
    stale = source.ci("--check")
    assert stale.code == 1
    assert "is not what the manifest asks for" in stale.out
    assert "- 'configs/**/*.json'" in source.written()
    assert source.ci("--check").code == 0


def test_choices_need_not_be_said_twice(source: Source) -> None:
    first = source.written("--auth", "secret", "--matrix", "--cron", "5 */6 * * *")
    assert "HF_TOKEN: ${{ secrets.HF_TOKEN }}" in first
    assert source.written() == first
    assert source.ci("--check").code == 0
    assert source.ci("--check", "--single").code == 1
    again = source.written("--single", "--cron", "off", "--install", "openllm-repos==0.9")
    assert ("schedule" in again, "matrix" in again, "REQUIREMENT: 'openllm-repos==0.9'" in again) == (False,) * 2 + (
        True,
    )
    assert "openllm-repos==0.9" not in source.written("--install", "default", "--private")
    facts = source.ci("--json").json()
    assert facts["choices"] == {"auth": "secret", "matrix": False, "private": True, "cron": None, "install": None}
    assert (facts["state"], facts["changed"], facts["jobs"]) == ("current", False, ["sync", "release", "preview"])


@pytest.mark.parametrize(
    ("options", "proving", "with_secret"),
    [
        ((), {"sync", "release"}, set()),
        (("--private", "--matrix"), {"sync", "release", "drift", "verify"}, set()),
        (("--auth", "secret"), set(), {"sync", "release"}),
        (("--auth", "secret", "--private"), set(), {"sync", "release", "drift"}),
    ],
)
def test_each_job_has_the_rights_that_it_needs(
    source: Source, options: tuple[str, ...], proving: set[str], with_secret: set[str]
) -> None:
    read = yaml.safe_load(source.written(*options))
    jobs = read["jobs"]
    assert read["permissions"] == {}
    assert {name for name, job in jobs.items() if "id-token" in job["permissions"]} == proving
    assert {name for name, job in jobs.items() if "secrets." in str(job)} == with_secret
    assert {name for name, job in jobs.items() if "environment" in job} == with_secret
    assert {job["permissions"]["contents"] for job in jobs.values()} == {"read"}
    assert {value for job in jobs.values() for value in job["permissions"].values()} <= {"read", "write"}
    assert {job["steps"][0]["with"]["persist-credentials"] for job in jobs.values()} == {False}
    previewed = [step.get("run", "") for step in jobs["preview"]["steps"]]
    assert any("sync --dry-run" in script for script in previewed) is ("--private" not in options)
    assert {name for name, job in jobs.items() if job["concurrency"]["cancel-in-progress"]} <= {
        "preview",
        "drift",
        "verify",
    }
    assert "${{ github.ref_name }}" in jobs["release"]["concurrency"]["group"]


def test_a_family_without_targets_has_nothing_to_sync(source: Source) -> None:
    (source.path / "repos.toml").write_text(NO_HUB, encoding="utf-8")
    read = yaml.safe_load(source.written("--matrix"))
    assert list(read["jobs"]) == ["release", "preview", "drift"]
    assert "id-token" not in str(read)


def test_a_held_target_turns_no_job_red_unless_a_person_named_it(source: Source) -> None:
    """The matrix names every target, which is no wish of anybody's; a person who runs it with names means them."""
    jobs = yaml.safe_load(source.written("--matrix"))["jobs"]
    (step,) = [step for step in jobs["sync"]["steps"] if step.get("name") == "Sync"]
    told = {"TARGETS": "one two", "DRY_RUN": "", "PATH": os.environ["PATH"]}
    for asked, flags in (("", ["--yes", "--leave-held"]), ("one", ["--yes"])):
        script = f"openllm-repos() {{ printf '%s\n' \"$@\"; }}\n{step['run']}"
        done = subprocess.run(
            ["bash", "-e", "-c", script], env=told | {"ASKED": asked}, capture_output=True, text=True, check=True
        )
        assert done.stdout.split("\n")[:-1] == ["sync", *flags, "--", "one", "two"]
    assert step["env"]["ASKED"] == "${{ inputs.targets }}"
    for name in ("verify", "drift"):
        assert "openllm-repos status --check --leave-held" in [step.get("run") for step in jobs[name]["steps"]]


def test_what_people_add_outside_of_the_marks_stays_byte_for_byte(source: Source) -> None:
    text = source.written()
    dispatch = "  repository_dispatch:\n    types: [hub]\n\nenv:\n  MINE: '1'   # kept\n"
    job = "\n  mine:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: 'true'\t \n"
    added = "# Mine\n" + text.replace("name: openllm-repos\n", "name: 'Family: all of it'\n")
    marks = ("# <<< openllm-repos triggers\n", "# <<< openllm-repos jobs\n")
    for mark, more in zip(marks, (dispatch, job), strict=True):
        added = added.replace(mark, mark + more)
    source.workflow.write_bytes(added.encode())
    assert source.ci("--check").code == 0
    changed = source.written("--cron", "off")
    for kept in (dispatch, job, "# Mine\n", "name: 'Family: all of it'\n"):
        assert kept in changed
    assert source.written("--cron", "17 5 * * *") == added
    read = yaml.safe_load(added.replace("\t", ""))  # which PyYAML does not like there
    assert {"repository_dispatch", "push"} <= set(read[True])  # YAML 1.1 reads `on` so
    assert list(read["jobs"]) == ["sync", "release", "preview", "drift", "mine"]


def test_line_ends_of_windows_stay(source: Source) -> None:
    source.workflow.parent.mkdir(parents=True)
    source.workflow.write_bytes(source.ci("--print").out.replace("\n", "\r\n").encode())
    assert source.ci("--check").code == 0
    source.ci("--cron", "off")
    content = source.workflow.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")
    assert source.ci("--check").code == 0


def test_an_edit_between_the_marks_is_not_lost_without_a_word(source: Source) -> None:
    edited = source.written().replace("timeout-minutes: 60", "timeout-minutes: 300", 1)
    source.workflow.write_text(edited, encoding="utf-8")
    assert "was edited between its marks" in source.ci("--check").out
    refused = source.ci("--cron", "off")
    assert (refused.code, source.workflow.read_text(encoding="utf-8")) == (3, edited)
    assert "Move your change outside of the marks" in refused.err
    assert "timeout-minutes: 300" not in source.written("--overwrite")


def test_a_header_that_was_edited_counts_as_an_edit(source: Source) -> None:
    source.workflow.parent.mkdir(parents=True)
    text = source.ci("--print").out
    for edited in (text.replace("--auth trusted", "--auth magic"), text.replace("# digest: ", "# digest: no ")):
        source.workflow.write_text(edited, encoding="utf-8")
        assert source.ci("--check", "--json").json()["state"] == "edited"


@pytest.mark.parametrize("more", ["", "--fleet "])
def test_an_older_version_does_not_write_over_what_a_newer_one_wrote(source: Source, more: str) -> None:
    text = source.written().replace(f"by openllm-repos {__version__}", "by openllm-repos 999.1")
    text = text.replace("# choices: ", f"# choices: {more}").replace("timeout-minutes: 60", "timeout-minutes: 70")
    source.workflow.write_text(text, encoding="utf-8")
    assert "was written by openllm-repos 999.1, which is newer than this one" in source.ci("--check").out
    assert source.ci("--check", "--json").json()["state"] == "newer"
    refused = source.ci("--cron", "off")
    assert (refused.code, source.workflow.read_text(encoding="utf-8")) == (3, text)
    assert "ci --overwrite" in refused.err
    assert "999.1" not in source.written("--overwrite")


def test_a_newer_version_alone_makes_no_workflow_stale_and_is_not_taken_back(source: Source) -> None:
    recipe = Recipe(Manifest.parse(OURS), "repos.toml", Choices(), "999.1")
    source.workflow.parent.mkdir(parents=True)
    source.workflow.write_text(composed(Found(None), recipe, overwrite=False), encoding="utf-8")
    assert source.ci("--check").code == 0
    assert source.ci().code == 3


def test_a_workflow_of_somebody_elses_is_left_alone(source: Source) -> None:
    source.workflow.parent.mkdir(parents=True)
    source.workflow.write_text("name: mine\n", encoding="utf-8")
    assert "was not written by openllm-repos" in source.ci("--check").out
    assert source.ci().code == 3
    assert source.workflow.read_text(encoding="utf-8") == "name: mine\n"
    assert source.written("--overwrite").startswith("# Yours: the name")


def test_a_mark_that_was_lost(source: Source) -> None:
    source.workflow.parent.mkdir(parents=True)
    broken = source.ci("--print").out.replace("# <<< openllm-repos triggers\n", "")
    source.workflow.write_text(broken, encoding="utf-8")
    assert "has lost one of its marks" in source.ci("--check").out
    refused = source.ci()
    assert (refused.code, source.workflow.read_text(encoding="utf-8")) == (3, broken)
    assert source.ci("--overwrite").code == 0


def test_a_job_that_has_a_name_of_ours(source: Source) -> None:
    text = source.written()
    source.workflow.write_text(text + "  drift:\n    runs-on: ubuntu-24.04\n", encoding="utf-8")
    refused = source.ci("--cron", "1 1 * * *")
    assert (refused.code, "'drift' twice in one place" in refused.err) == (2, True)
    source.workflow.write_text(text + "  mine: &again {needs: [*again, *again]}\n", encoding="utf-8")
    assert source.ci("--cron", "1 1 * * *").code == 0


def test_a_manifest_at_another_place(source: Source, run_cli: RunCli) -> None:
    (source.path / "my family").mkdir()
    (source.path / "repos.toml").rename(source.path / "my family/it's.toml")
    done = run_cli("--manifest", "my family/it's.toml", "ci", cwd=source.path)
    assert done.code == 0, done.err
    text = source.workflow.read_text(encoding="utf-8")
    assert "MANIFEST: 'my family/it''s.toml'" in text
    assert 'openllm-repos --manifest "$MANIFEST" status --check --leave-held' in text
    odd = shutil.copy(EXAMPLE / "repos.toml", source.path / "${{ github.token }}.toml")
    assert "which GitHub would read" in run_cli("--manifest", odd, "ci", cwd=source.path).err
    elsewhere = run_cli("--manifest", EXAMPLE / "repos.toml", "ci", cwd=source.path)
    assert (elsewhere.code, "is not in the clone" in elsewhere.err) == (2, True)


def test_what_makes_no_sense(source: Source, run_cli: RunCli, tmp_path: Path) -> None:
    for options, said in (
        (("--print", "--check"), "--print goes neither with --check"),
        (("--cron", "daily"), "--cron: 'daily' is no schedule"),
        (("--install", "requests"), "--install: 'requests' installs requests"),
    ):
        done = source.ci(*options)
        assert (done.code, said in done.err) == (2, True), done.err
    (source.path / "repos.toml").write_text(OURS.replace('github = "louischua', 'space = "louischua'), encoding="utf-8")
    assert "GitHub runs no workflow there" in source.ci().err
    bare = Clone(tmp_path / "bare.git")
    subprocess.run(["git", "init", "-q", "--bare", bare.path], check=True)
    assert "A bare clone has no work tree" in run_cli("--manifest", EXAMPLE / "repos.toml", "ci", cwd=bare.path).err


def test_a_file_that_cannot_be_read_or_written(source: Source) -> None:
    source.workflow.mkdir(parents=True)
    assert (source.ci().code, "cannot be read" in source.ci().err) == (30, True)
    source.workflow.rmdir()
    source.workflow.write_bytes(b"\xff")
    assert "is not UTF-8" in source.ci().err
    source.workflow.write_bytes(b"#" * (2 << 20))
    assert "is larger than 1 MiB" in source.ci().err
    shutil.rmtree(source.path / ".github")
    (source.path / ".github").write_text("", encoding="utf-8")
    assert (source.ci().code, "cannot be written" in source.ci().err) == (30, True)


def test_a_link_in_the_clone_leads_no_workflow_out_of_it(source: Source, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (source.path / ".github").symlink_to(tmp_path / "elsewhere")
    refused = source.ci()
    assert (refused.code, "leads out of the clone by a symbolic link" in refused.err) == (30, True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_doctor_tells_of_a_stale_workflow(source: Source, run_cli: RunCli) -> None:
    def said() -> list[tuple[str, str]]:
        checks = run_cli("doctor", "--offline", "--json", cwd=source.path).json()["checks"]
        return [(check["level"], check["next"]) for check in checks if check["name"] == "workflow"]

    assert said() == []
    source.written()
    assert said() == [("ok", "")]
    (source.path / "repos.toml").write_text(OURS.replace("configs/", "settings/"), encoding="utf-8")
    assert said() == [("warning", "openllm-repos ci")]


@pytest.mark.parametrize(
    ("was", "becomes", "level"),
    [
        (b"# <<< openllm-repos jobs\n", b"", "warning"),
        (b"--auth trusted", b"--auth magic", "warning"),
        (b"name: openllm-repos", b"name: \xff", "error"),
    ],
)
def test_doctor_tells_of_a_workflow_that_was_broken(
    source: Source, run_cli: RunCli, was: bytes, becomes: bytes, level: str
) -> None:
    source.workflow.write_bytes(source.written().encode().replace(was, becomes, 1))
    done = run_cli("doctor", "--offline", "--json", cwd=source.path)
    assert [check["level"] for check in done.json()["checks"] if check["name"] == "workflow"] == [level]
    source.workflow.write_text("name: mine\n", encoding="utf-8")
    assert '"workflow"' not in run_cli("doctor", "--offline", "--json", cwd=source.path).out


def test_doctor_goes_on_where_the_source_has_left_github(source: Source, run_cli: RunCli) -> None:
    source.written()
    moved = OURS.replace('github = "louischua/openllm"', 'space = "louischua/openllm"')
    (source.path / "repos.toml").write_text(moved, encoding="utf-8")
    checks = run_cli("doctor", "--offline", "--json", cwd=source.path).json()["checks"]
    assert [check["level"] for check in checks if check["name"] == "workflow"] == ["error"]


def test_the_example_is_what_the_tool_writes_for_it(clone: Clone, run_cli: RunCli) -> None:
    """Whatever version wrote it: the version alone makes no workflow stale."""
    shutil.copytree(EXAMPLE, clone.path, dirs_exist_ok=True)
    done = run_cli("ci", "--check", cwd=clone.path)
    assert (done.code, done.out) == (0, f"{WORKFLOW} is up to date.\n")


def test_the_example_manifest_is_that_of_the_project() -> None:
    assert (EXAMPLE / "repos.toml").read_bytes() == (ROOT / "repos.toml").read_bytes()


def judged(folder: Path) -> str:
    """Return what actionlint and zizmor, at its strictest, have to say of the workflows in a folder."""
    files = [path.name for path in sorted(folder.glob("*.yml"))]
    assert files
    actionlint, zizmor = need_program("actionlint"), need_program("zizmor")
    strictest = ("--offline", "--quiet", "--no-progress", "--color=never", "--persona=auditor")
    said = ""
    for command in ([actionlint, "-no-color", "-shellcheck=", "-pyflakes=", *files], [zizmor, *strictest, *files]):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
        said += done.stdout + done.stderr if done.returncode else ""
    return said


def test_others_find_nothing_to_say_against_the_workflows(tmp_path: Path) -> None:
    install = Requirement("openllm-repos @ git+https://github.com/louischua/openllm-repos@0123abc")
    for number, (manifest, choices) in enumerate(
        [
            (OURS, Choices()),
            (OURS, Choices(Auth.SECRET, matrix=True)),
            (ODD, Choices(matrix=True, private=True, cron=Cron("*/10 1-5 * * 0,6"), install=install)),
            (ODD, Choices(Auth.SECRET, cron=None)),
            (NO_HUB, Choices()),
        ]
    ):
        recipe = Recipe(Manifest.parse(manifest), "family's/repos.toml", choices, "1.2.3")
        (tmp_path / f"{number}.yml").write_text(composed(Found(None), recipe, overwrite=False), encoding="utf-8")
    shutil.copy(EXAMPLE / WORKFLOW, tmp_path / "example.yml")
    assert judged(tmp_path) == ""


def test_the_judges_see_what_is_wrong(tmp_path: Path, source: Source) -> None:
    text = source.written()
    (tmp_path / "a.yml").write_text(text.replace("cancel-in-progress", "cancel-progress"), encoding="utf-8")
    assert "cancel-progress" in judged(tmp_path)
    (tmp_path / "a.yml").write_text(text.replace("persist-credentials: false", "clean: true"), encoding="utf-8")
    assert "artipacked" in judged(tmp_path)
