"""`openllm-repos ci`, as a person types it, and what is judged of the workflow by others."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import packaging.requirements
import pytest
import yaml
from packaging.utils import canonicalize_name

from openllm_repos import __version__
from openllm_repos.manifest import Manifest
from openllm_repos.workflow.choices import Auth, Choices, Cron, Requirement
from openllm_repos.workflow.file import Found, Recipe, composed, write_workflow
from openllm_repos.workflow.parts import find_parts, with_parts
from tests.support.inprocess import RunCli
from tests.support.process import Result
from tests.support.repositories import Clone

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/openllm"
WORKFLOW = ".github/workflows/openllm-repos.yml"
REQUIREMENTS = ".github/workflows/openllm-repos.txt"
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
HASH = "0123456789abcdef" * 4
COMMIT = "0123456789" * 4
INSTALL = f"openllm-repos==1.0 --hash=sha256:{HASH}"
PINNED = Choices(install=Requirement(INSTALL))
NO_HUB = 'schema = 1\n[project]\nname = "x"\n[repos.main]\ngithub = "a/b"\nrole = "source"\n'


class Source:
    """The clone of a source with a manifest, where `ci` is typed."""

    def __init__(self, clone: Clone, run: RunCli, manifest: str = OURS) -> None:
        self.path = clone.path
        self.workflow = clone.path / WORKFLOW
        self.requirements = clone.path / REQUIREMENTS
        self._run = run
        (clone.path / "repos.toml").write_text(manifest, encoding="utf-8")

    def ci(self, *options: str) -> Result:
        """Type it; what the jobs install is said unless a test does."""
        said = "--check" in options or "--install" in options
        return self.typed(*(() if said else ("--install", INSTALL)), *options)

    def typed(self, *options: str) -> Result:
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
    assert done.out.startswith(f"Wrote {WORKFLOW}: sync, new-release, release, preview, drift.\nhint: Name ")
    assert "  https://huggingface.co/spaces/lemms/openllm/settings\n" in done.out
    typed = [f"git add {WORKFLOW} {REQUIREMENTS}", "git commit -m 'Let GitHub keep the family in step'", "git push"]
    assert done.out.endswith("".join(f"next: {line}\n" for line in typed))
    assert source.ci("--check").out == f"{WORKFLOW} is up to date.\n"
    before = source.workflow.stat().st_mtime_ns
    assert source.ci().out == f"{WORKFLOW} is up to date.\n"
    assert source.workflow.stat().st_mtime_ns == before


def test_the_next_step_can_be_typed_in_a_folder_of_the_clone(source: Source, run_cli: RunCli) -> None:
    (source.path / "core/src").mkdir(parents=True, exist_ok=True)
    done = run_cli("ci", "--install", INSTALL, cwd=source.path / "core/src")
    assert f"next: git add ../../{WORKFLOW} ../../{REQUIREMENTS}\nnext: git commit" in done.out


def test_a_fleet_is_told_of_a_dozen_settings_pages_and_of_the_other_way(source: Source) -> None:
    more = "".join(f'[repos.t{at}]\nmodel = "lemms/t{at}"\n' for at in range(30))
    (source.path / "repos.toml").write_text(OURS + more, encoding="utf-8")
    out = source.ci().out
    assert out.count("/settings\n") == 12
    assert "and 22 more\nnext: openllm-repos ci --auth secret  # or gives all of them one secret\n" in out


def installed_from(monkeypatch: pytest.MonkeyPatch, origin: str | None) -> None:
    """Let pip have written down that the tool came from somewhere (PEP 610)."""
    monkeypatch.setattr("openllm_repos.cli.ci._origin", lambda: origin)


@pytest.mark.slow
def test_jobs_install_what_was_installed_here_from_git(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    def installed_at(commit: str) -> None:
        said = {"url": f"https://github.com/{TOOL}", "vcs_info": {"vcs": "git", "commit_id": commit}}
        installed_from(monkeypatch, json.dumps(said))

    newer = COMMIT[::-1]
    required = f"REQUIREMENT: 'openllm-repos @ git+https://github.com/{TOOL}@"
    installed_at(COMMIT)
    assert source.typed().code == 0
    assert f"{required}{COMMIT}'" in source.workflow.read_text(encoding="utf-8")
    built = source.requirements.read_text(encoding="utf-8")
    assert ("openllm-repos==" not in built, "\nhatchling==" in built) == (True, True)
    installed_at(newer)
    assert source.ci("--check").code == 0
    assert source.typed().code == 0
    assert f"{required}{newer}'" in source.workflow.read_text(encoding="utf-8")
    assert required not in source.written("--install", INSTALL)
    assert source.typed().code == 0  # what a person chose stays
    assert required not in source.workflow.read_text(encoding="utf-8")
    assert f"{required}{newer}'" in source.written("--install", "default")


def test_jobs_install_the_wheel_that_was_installed_here_from_a_url(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://example.com/openllm_repos-1.0-py3-none-any.whl"
    installed_from(monkeypatch, json.dumps({"url": url, "archive_info": {"hashes": {"sha256": HASH}}}))
    assert source.typed().code == 0
    assert f"\nopenllm-repos @ {url}#sha256={HASH}\n" in source.requirements.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ('{"url": "file:///src", "dir_info": {"editable": true}}', "was installed from this machine"),
        ("", "was installed from this machine"),
        (None, "was installed from a package index, which leaves no hash of it here"),
    ],
)
def test_no_job_installs_a_name_that_a_stranger_could_register(
    source: Source, monkeypatch: pytest.MonkeyPatch, origin: str | None, said: str
) -> None:
    """`openllm-repos==VERSION` alone would run the code of whoever owns that name, with the rights of the jobs."""
    installed_from(monkeypatch, origin)
    for options in ((), ("--print",), ("--install", "default")):
        refused = source.typed(*options)
        assert (refused.code, said in refused.err) == (2, True), refused.err
        assert "Say it with --install: 'openllm-repos @ git+https://HOST/OWNER/NAME@COMMIT'" in refused.err
    assert not source.workflow.exists()
    assert not source.requirements.exists()


def test_every_file_that_a_job_installs_is_known_by_its_hash(source: Source) -> None:
    jobs = yaml.safe_load(source.written("--matrix"))["jobs"]
    for job in jobs.values():
        (script,) = [step["run"] for step in job["steps"] if "pip" in step.get("run", "")]
        assert f"--require-hashes --only-binary :all: -r {REQUIREMENTS}" in script
    lines = [line for line in source.requirements.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert lines[0] == INSTALL
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


def test_what_comes_from_git_is_built_without_asking_an_index(source: Source) -> None:
    jobs = yaml.safe_load(source.written("--install", f"openllm-repos @ git+https://github.com/{TOOL}@{COMMIT}"))
    (script,) = [step["run"] for step in jobs["jobs"]["sync"]["steps"] if "pip" in step.get("run", "")]
    by_hash, from_git, checked = script.strip().split("\n")
    assert "--require-hashes" in by_hash
    assert from_git.endswith('--no-index --no-deps --no-build-isolation "$REQUIREMENT"')
    assert "pip check" in checked


OLD_HEADER = "# choices: --auth secret --matrix --public --cron '17 5 * * *'"
OLD_INSTALL = """      - name: Install openllm-repos
        env:
          REQUIREMENT: 'openllm-repos==0.1.0'
        run: python -m pip install --disable-pip-version-check "$REQUIREMENT"
"""


@pytest.mark.parametrize("chosen", ["", " --install openllm-repos==0.1.0"])
def test_a_workflow_that_installs_by_name_alone_is_told_and_mended(
    source: Source, run_cli: RunCli, chosen: str
) -> None:
    """As versions before this one wrote it."""
    text = re.sub(r"# choices: .*", OLD_HEADER + chosen, source.written("--auth", "secret", "--matrix"))
    pinned = r"      - name: Install openllm-repos\n        run: \|\n .*\n"
    parts = find_parts(re.sub(pinned, OLD_INSTALL, text))
    assert parts is not None
    blank = re.sub(r"# digest: \w+", f"# digest: {'0' * 64}", parts.triggers)
    source.workflow.write_text(with_parts(text, replace(parts, triggers=blank).sealed()), encoding="utf-8")
    source.requirements.unlink()
    checked = source.ci("--check")
    assert (checked.code, "installs openllm-repos without a hash: whoever gets hold" in checked.out) == (1, True)
    assert source.ci("--check", "--json").json()["state"] == "unpinned"
    doctor = run_cli("doctor", "--offline", "--json", cwd=source.path).json()["checks"]
    assert [check["level"] for check in doctor if check["name"] == "workflow"] == ["error"]
    mended = source.written()
    assert source.ci("--check").code == 0
    assert "--auth secret --matrix --public" in mended


def test_an_edit_of_what_is_installed_is_seen(source: Source) -> None:
    source.written()
    was = source.requirements.read_text(encoding="utf-8")
    for edited in (was.replace("click==", "clack=="), was + "more==1\n", ""):
        source.requirements.write_text(edited, encoding="utf-8")
        assert source.ci("--check", "--json").json()["state"] == "edited"
        assert source.ci().code == 3
    source.written("--overwrite")
    assert source.requirements.read_text(encoding="utf-8") == was


def test_what_another_version_needs_makes_no_workflow_stale(source: Source) -> None:
    recipe = Recipe(Manifest.parse(OURS), "repos.toml", PINNED, "0.0.1", "click==0 --hash=sha256:0\n")
    write_workflow(source.path, composed(Found(None), recipe, overwrite=False))
    assert source.ci("--check").code == 0
    assert "click==0" not in source.written() + source.requirements.read_text(encoding="utf-8")


def test_the_jobs_have_all_that_the_tool_needs() -> None:
    """What `make lock` wrote is held against what pip installed here, markers taken as they are on the runner."""
    runner = {"python_version": "3.13", "python_full_version": "3.13.0", "sys_platform": "linux", "extra": ""}
    runner |= {"platform_machine": "x86_64", "platform_system": "Linux", "implementation_name": "cpython"}
    known: dict[str, str] = {}
    for name in ("dependencies", "building"):
        text = (ROOT / f"src/openllm_repos/workflow/{name}.txt").read_text(encoding="utf-8")
        known |= dict(line.split(" ")[0].split("==") for line in text.splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    todo = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    seen: set[str] = set()
    while todo:
        wanted = packaging.requirements.Requirement(todo.pop())
        name = canonicalize_name(wanted.name)
        if wanted.marker is not None and not wanted.marker.evaluate(runner):
            continue
        assert wanted.specifier.contains(known[name], prereleases=True), wanted
        if name not in seen:
            todo += importlib.metadata.requires(name) or []
        seen.add(name)
    assert seen == known.keys()


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


@pytest.mark.slow
def test_choices_need_not_be_said_twice(source: Source) -> None:
    first = source.written("--auth", "secret", "--matrix", "--cron", "5 */6 * * *")
    assert "HF_TOKEN: ${{ secrets.HF_TOKEN }}" in first
    assert source.written() == first
    assert source.ci("--check").code == 0
    assert source.ci("--check", "--single").code == 1
    again = source.written("--single", "--cron", "off", "--private", "--no-wait")
    assert ("schedule" in again, "matrix" in again, "--wait)" in again) == (False, False, False)
    facts = source.typed("--json").json()
    switches = {"matrix": False, "private": True, "wait": False}
    assert facts["choices"] == {"auth": "secret", "cron": None, "install": INSTALL} | switches
    assert (facts["state"], facts["changed"]) == ("current", False)
    assert facts["jobs"] == ["sync", "new-release", "release", "preview"]


@pytest.mark.parametrize(
    ("options", "proving", "with_secret"),
    [
        ((), {"sync", "new-release", "release"}, set()),
        (("--private", "--matrix"), {"sync", "new-release", "release", "drift", "verify"}, set()),
        (("--auth", "secret"), set(), {"sync", "new-release", "release"}),
        (("--auth", "secret", "--private"), set(), {"sync", "new-release", "release", "drift"}),
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
    writing = {name for name, job in jobs.items() if job["permissions"]["contents"] == "write"}
    assert writing == {"new-release"}  # which tags the source, and only where a person asks for it
    assert jobs["new-release"]["if"].startswith("github.ref == 'refs/heads/main' && github.event_name == 'workflow_d")
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
    assert list(read["jobs"]) == ["new-release", "release", "preview", "drift"]
    assert "id-token" not in str(read)
    assert "targets" not in read[True]["workflow_dispatch"]["inputs"]  # YAML 1.1 reads `on` so


def test_a_held_target_turns_no_job_red_unless_a_person_named_it(source: Source) -> None:
    """The matrix names every target, which is no wish of anybody's; a person who runs it with names means them."""
    jobs = yaml.safe_load(source.written("--matrix"))["jobs"]
    (step,) = [step for step in jobs["sync"]["steps"] if step.get("name") == "Sync"]
    told = {"TARGETS": "one two", "DRY_RUN": "", "PATH": os.environ["PATH"]}
    for asked, flags in (("", ["--yes", "--wait", "--leave-held"]), ("one", ["--yes", "--wait"])):
        script = f"openllm-repos() {{ printf '%s\n' \"$@\"; }}\n{step['run']}"
        done = subprocess.run(
            ["bash", "-e", "-c", script], env=told | {"ASKED": asked}, capture_output=True, text=True, check=True
        )
        assert done.stdout.split("\n")[:-1] == ["sync", *flags, "--", "one", "two"]
    assert step["env"]["ASKED"] == "${{ inputs.targets }}"
    for name in ("verify", "drift"):
        assert "openllm-repos status --check --leave-held" in [step.get("run") for step in jobs[name]["steps"]]


@pytest.mark.parametrize(
    ("form", "job", "step"), [("--single", "sync", "Sync"), ("--matrix", "targets", "List the targets")]
)
def test_a_person_can_run_it_for_groups_where_targets_have_some(source: Source, form: str, job: str, step: str) -> None:
    plain = source.written(form)
    assert "groups" not in plain
    (source.path / "repos.toml").write_text(
        OURS.replace("[repos.space]\n", '[repos.space]\ngroups = ["eu"]\n'), "utf-8"
    )
    read = yaml.safe_load(source.written(form))
    assert list(read[True]["workflow_dispatch"]["inputs"]) == ["dry-run", "targets", "groups", "version"]
    assert "inputs.targets == '' && inputs.groups == ''" in str(read["jobs"]) or form == "--single"
    (found,) = [one for one in read["jobs"][job]["steps"] if one.get("name") == step]
    assert found["env"]["TARGET_GROUPS"] == "${{ inputs.groups }}"
    script = f"openllm-repos() {{ printf '%s\n' \"$@\" >&2; }}\n{found['run']}"
    env = {"TARGETS": "", "DRY_RUN": "", "PATH": os.environ["PATH"], "GITHUB_OUTPUT": os.devnull}
    for typed, given in (("", []), ("eu, us\n--yes", ["--group=eu", "--group=us", "--group=--yes"])):
        done = subprocess.run(
            ["bash", "-e", "-c", script], env=env | {"TARGET_GROUPS": typed}, capture_output=True, text=True, check=True
        )
        words = done.stderr.split("\n")[:-1]
        assert [word for word in words if "group" in word] == given
        assert words[-1] == "--"


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
    assert list(read["jobs"]) == ["sync", "new-release", "release", "preview", "drift", "mine"]


def test_line_ends_of_windows_stay(source: Source) -> None:
    source.written()
    for file in (source.workflow, source.requirements):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
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
    recipe = Recipe(Manifest.parse(OURS), "repos.toml", PINNED, "999.1")
    write_workflow(source.path, composed(Found(None), recipe, overwrite=False))
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
    done = run_cli("--manifest", "my family/it's.toml", "ci", "--install", INSTALL, cwd=source.path)
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
        (("--install", "openllm-repos==0.1.0"), "--install: 'openllm-repos==0.1.0' is not pinned"),
    ):
        done = source.ci(*options)
        assert (done.code, said in done.err) == (2, True), done.err
    bare = Clone(tmp_path / "bare.git")
    subprocess.run(["git", "init", "-q", "--bare", bare.path], check=True)
    assert "A bare clone has no work tree" in run_cli("--manifest", EXAMPLE / "repos.toml", "ci", cwd=bare.path).err


@pytest.mark.parametrize(
    "where", ['url = "https://gitlab.com/louischua/openllm"', 'url = "file:///srv/git/a.git"', 'space = "lemms/source"']
)
def test_a_source_that_is_not_on_github_gets_no_workflow(source: Source, where: str) -> None:
    moved = OURS.replace('github = "louischua/openllm"', where)
    (source.path / "repos.toml").write_text(moved, encoding="utf-8")
    for options in ((), ("--print",), ("--check",)):
        refused = source.ci(*options)
        assert refused.code == 2
        assert "main is not on GitHub (" in refused.err
        assert "), and this workflow runs nowhere else.\n" in refused.err
    assert not source.workflow.parent.exists()


def test_a_clone_that_has_master_gets_no_workflow_for_main(source: Source, clone: Clone, run_cli: RunCli) -> None:
    """No push would ever start it."""
    clone.commit("first", {"a": "1\n"})
    clone.git("branch", "-M", "master")
    refused = source.ci()
    assert refused.code == 2
    assert "says that main is on the branch main, and this clone knows master alone" in refused.err
    assert "openllm-repos manifest set repos.main.branch master" in refused.err
    assert not source.workflow.exists()
    assert run_cli("manifest", "set", "repos.main.branch", "master", cwd=source.path).code == 0
    read = yaml.safe_load(source.written())
    assert read[True]["push"]["branches"] == ["master"]
    assert read["jobs"]["sync"]["steps"][0]["with"]["ref"] == "master"
    assert "refs/heads/master" in read["jobs"]["sync"]["if"]


def test_another_default_branch_on_github_is_told(source: Source, clone: Clone, run_cli: RunCli) -> None:
    """Schedules and *Run workflow* are taken from the default branch alone."""
    clone.commit("first", {"a": "1\n"})
    clone.git("remote", "add", "origin", "git@github.com:louischua/openllm.git")
    clone.git("update-ref", "refs/remotes/origin/develop", "HEAD")
    clone.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/develop")
    said = "repos.toml names the branch main, and the default branch on GitHub is develop, as far as this clone knows"
    assert said in source.ci().out
    checks = run_cli("doctor", "--offline", "--json", cwd=source.path).json()["checks"]
    (check,) = [check for check in checks if check["name"] == "workflow" and check["level"] == "warning"]
    assert said in check["message"]
    assert check["next"] == "openllm-repos manifest set repos.main.branch develop"


OLD_DEPLOYMENT = """
on: {push: {branches: [main]}}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - run: hf upload lemms/openllm . . --repo-type space
"""


def test_an_old_workflow_that_uploads_to_the_same_space_is_told(source: Source, clone: Clone, run_cli: RunCli) -> None:
    old = ".github/workflows/deploy-to-space.yml"
    said = f"has two writers: openllm-repos, and {old}, line 7 (hf upload)"
    clone.commit("Deploy", {old: OLD_DEPLOYMENT, "llm/app.py": 'load("lemms/openllm")\n'})
    assert f"note: space {said}\n" in source.ci().out
    checks = run_cli("doctor", "--offline", "--json", cwd=source.path).json()["checks"]
    told = [(check["repo"], check["level"], check["message"]) for check in checks if check["name"] == "writers"]
    assert told == [("space", "warning", said)]
    (source.path / "repos.toml").unlink()
    begun = run_cli(
        *("init", "--offline", "--no-hooks", "--github", "louischua/openllm", "--space", "lemms/openllm"),
        *("--map", "llm/", "app/"),
        cwd=source.path,
    )
    assert f"note: space {said}\n" in begun.out
    (source.path / old).unlink()
    assert "two writers" not in run_cli("doctor", "--offline", cwd=source.path).out


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


def judged(folder: Path, linters: tuple[str, str]) -> str:
    """Return what actionlint and zizmor, at its strictest, have to say of the workflows in a folder."""
    files = [path.name for path in sorted(folder.glob("*.yml"))]
    assert files
    actionlint, zizmor = linters
    strictest = ("--offline", "--quiet", "--no-progress", "--color=never", "--persona=auditor")
    said = ""
    for command in ([actionlint, "-no-color", "-shellcheck=", "-pyflakes=", *files], [zizmor, *strictest, *files]):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
        said += done.stdout + done.stderr if done.returncode else ""
    return said


@pytest.mark.slow
def test_others_find_nothing_to_say_against_the_workflows(tmp_path: Path, linters: tuple[str, str]) -> None:
    install = Requirement(INSTALL)
    git = Requirement(f"openllm-repos @ git+https://github.com/{TOOL}@{COMMIT}")
    for number, (manifest, choices) in enumerate(
        [
            (OURS, Choices(install=install)),
            (OURS, Choices(Auth.SECRET, matrix=True, install=git)),
            (ODD, Choices(matrix=True, private=True, cron=Cron("*/10 1-5 * * 0,6"), install=git)),
            (ODD, Choices(Auth.SECRET, wait=False, cron=None, install=install)),
            (NO_HUB, Choices(install=install)),
        ]
    ):
        recipe = Recipe(Manifest.parse(manifest), "family's/repos.toml", choices, "1.2.3")
        made = composed(Found(None), recipe, overwrite=False)
        (tmp_path / f"{number}.yml").write_text(made[WORKFLOW], encoding="utf-8")
    shutil.copy(EXAMPLE / WORKFLOW, tmp_path / "example.yml")
    assert judged(tmp_path, linters) == ""


@pytest.mark.slow
def test_the_judges_see_what_is_wrong(tmp_path: Path, source: Source, linters: tuple[str, str]) -> None:
    text = source.written()
    (tmp_path / "a.yml").write_text(text.replace("cancel-in-progress", "cancel-progress"), encoding="utf-8")
    assert "cancel-progress" in judged(tmp_path, linters)
    (tmp_path / "a.yml").write_text(text.replace("persist-credentials: false", "clean: true"), encoding="utf-8")
    assert "artipacked" in judged(tmp_path, linters)
