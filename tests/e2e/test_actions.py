"""In GitHub Actions: a summary of the job, annotations, outputs; nothing foreign is a command, markup or an output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from tests.support.actions import Step, commands
from tests.support.family import Family
from tests.support.fingerprint import fingerprint
from tests.support.hub_family import SPACE, HubFamily
from tests.support.inprocess import RunCli
from tests.support.pinned import PATH, Pinned
from tests.support.published import MODEL, Publishing
from tests.support.releases import Releases

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox

EVIL = "::error::owned ##[add-mask]owned | `@everyone` <img src=x> [x](https://evil.example) www.evil.example"


@pytest.fixture
def step(tmp_path: Path, family: Family, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Return a step of a job that checked out the family's source."""
    return Step.enter(tmp_path / "runner", family.clone.path, monkeypatch)


def kinds(markdown: str) -> set[str]:
    """Return the kinds of what a reader of Markdown finds in a text, at any depth."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return {token.type for one in tokens for token in (one, *(one.children or ()))}


def cells(markdown: str) -> list[int]:
    """Return how many cells each row of the tables has."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    rows: list[int] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append(0)
        rows[-1:] = [rows[-1] + (token.type in {"th_open", "td_open"})] if rows else []
    return rows


def test_elsewhere_nothing_is_written(
    family: Family, step: Step, monkeypatch: pytest.MonkeyPatch, run_cli: RunCli
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    assert family.sync().code == 0
    done = run_cli("status", "--check", cwd=family.clone.path)
    assert (step.summary, step.outputs, commands(done)) == ("", {}, [])


def test_a_sync_tells_what_it_pushed(family: Family, step: Step) -> None:
    done = family.sync()
    tip, head = family.space.tips()["refs/heads/main"], family.clone.tips()["refs/heads/main"]
    assert (done.code, commands(done)) == (0, [])
    assert step.outputs == {
        "commit": head,
        "changed": "true",
        "pushed": "space",
        "planned": "space",
        "stopped": "",
        "conflicts": "",
        "drifted": "",
        "held": "",
    }
    assert step.summary.startswith(f"### openllm-repos sync\n\n`main` at `{head[:10]}`\n\n| target | what |")
    assert f"| `space` | synced, for the first time | 2 | 3 | - | `{tip[:10]}` |\n" in step.summary
    assert "<summary>Files of space: 3</summary>\n\n```text\n  A configs/small.json\n" in step.summary
    assert family.sync().code == 0
    assert step.outputs["pushed"] == ""
    assert "| `space` | up to date | - | - | - |" in step.summary  # several commands share one summary


@pytest.mark.slow
def test_commits_on_a_known_host_are_links(
    hub_family: HubFamily, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step.enter(tmp_path / "runner", hub_family.clone.path, monkeypatch)
    assert hub_family.run("sync", "--dry-run", cwd=hub_family.clone.path).code == 0
    assert step.summary.startswith("### openllm-repos sync: dry run\n")
    assert (step.outputs["changed"], step.outputs["planned"]) == ("false", "space")
    assert hub_family.run("sync", "--yes", cwd=hub_family.clone.path).code == 0
    head = hub_family.clone.tips()["refs/heads/main"]
    assert f"`main` at [`{head[:10]}`](https://github.com/louischua/openllm/commit/{head})" in step.summary
    assert "(https://huggingface.co/spaces/lemms/openllm/commit/" in step.summary


def test_a_build_that_failed_is_an_error_with_its_log(
    sandbox: Sandbox, hub_family: HubFamily, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step.enter(tmp_path / "runner", hub_family.clone.path, monkeypatch)
    sandbox.hub.build(SPACE, stage="BUILD_ERROR", log=["::error::owned"])
    done = hub_family.run("sync", "--yes", "--wait", cwd=hub_family.clone.path)
    (error,) = commands(done)
    assert (done.code, error.name, step.outputs["pushed"]) == (3, "error", "space")
    assert error.message.startswith("space: the Space does not run: BUILD_ERROR")
    assert "### openllm-repos sync --wait\n\n```text\nspace: the Space does not run" in step.summary


@pytest.mark.slow
def test_what_stops_several_targets_is_one_annotation(
    hub_family: HubFamily, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.hub.create("space", "lemms/second", sdk="static")
    second = '[repos.second]\nspace = "lemms/second"\nmap = [{ from = "core/src/*.py", to = "training/" }]'
    hub_family.manifest(more=second)
    step = Step.enter(tmp_path / "runner", hub_family.clone.path, monkeypatch)
    monkeypatch.setenv("HF_TOKEN", "hf_ended")
    done = hub_family.sync("--yes")
    (error,) = commands(done)
    assert error.message.startswith("space, second: The Hub does not take the token: Invalid credentials")
    assert "next: gh secret set HF_TOKEN  # the job's has ended" in error.message
    assert (done.code, step.outputs["stopped"]) == (3, "space second")


def test_a_conflict_is_an_error_with_its_files_and_the_next_command(family: Family, step: Step) -> None:
    family.synced()
    family.edit("Theirs", {"training/train.py": "theirs\n"})
    family.commit("Ours", {"core/src/train.py": "ours\n"})
    done = family.sync()
    (error,) = commands(done)
    assert (done.code, error.name, error.properties) == (3, "error", {"title": "openllm-repos sync"})
    assert error.message.startswith("space: The source and space both changed 1 file")
    assert "(training/train.py)\nnext: openllm-repos sync space --resolve  # or take one side" in error.message
    assert (step.outputs["conflicts"], step.outputs["stopped"], step.outputs["pushed"]) == ("space", "space", "")
    assert "| `space` | **conflict** in 1 file | - | - | - | - |\n" in step.summary
    assert "  training/train.py: modified in the source, modified in the target\n" in step.summary


@pytest.mark.slow
def test_a_conflict_that_is_settled_is_told(family: Family, step: Step) -> None:
    family.synced()
    family.edit("Theirs", {"training/train.py": "theirs\n"})
    family.commit("Ours", {"core/src/train.py": "ours\n"})
    opened = family.sync("space", "--resolve")
    place = Path(opened.out.splitlines()[0].partition("open in ")[2])
    (place / "training/train.py").write_text("both\n")
    family.clone.git("-C", str(place), "add", "training/train.py")
    assert family.sync("space", "--continue").code == 0
    assert (step.outputs["pushed"], step.outputs["conflicts"]) == ("space", "")


def test_the_status_and_what_is_wrong(family: Family, step: Step, run_cli: RunCli) -> None:
    family.synced()
    family.edit("Theirs", {"training/train.py": "theirs\n"})
    family.manifest(more=f'[repos.data]\nurl = "{(family.folder / "gone.git").as_uri()}"\n')
    done = run_cli("status", "--json", cwd=family.clone.path)
    assert done.json()["differs"] is True  # standard output stays what a program reads
    assert [(one.name, one.message.partition(":")[0]) for one in commands(done)] == [
        ("warning", "space"),
        ("warning", "data"),
    ]
    outputs = step.outputs
    assert (outputs["differs"], outputs["drifted"], outputs["unreachable"]) == ("true", "space", "data")
    assert "| space | git | main | drift 1 | - |\n" in step.summary.partition("### openllm-repos status\n")[2]


def test_each_fault_of_the_manifest_at_its_line(family: Family, step: Step) -> None:
    file = family.clone.path / "repos.toml"
    text = file.read_text().replace('to = "training/"', 'to = "/tmp"').replace('role = "source"', 'role = "sauce"')
    file.write_text(text)
    done = family.sync()
    found = [(one.name, one.properties["file"], int(one.properties["line"])) for one in commands(done)]
    lines = text.split("\n")
    assert found == [
        ("error", "repos.toml", lines.index('role = "sauce"') + 1),
        ("error", "repos.toml", lines.index('to = "/tmp"') + 1),
    ]
    assert step.summary.startswith("### openllm-repos sync: stopped\n\n```text\nerror: repos.toml has 2 faults\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [(b'schema = 1\n[project]\nname = "x\n', "3"), (b"schema = 1\n# \xff\n", "2")],
)
def test_a_manifest_that_cannot_be_read(family: Family, step: Step, content: bytes, line: str) -> None:
    (family.clone.path / "repos.toml").write_bytes(content)
    (error,) = commands(family.sync())
    assert (error.properties["file"], error.properties["line"]) == ("repos.toml", line)
    assert step.outputs == {}


def test_a_wrong_word_on_the_command_line_is_an_error_too(family: Family, step: Step) -> None:
    (error,) = commands(family.sync("--sideways"))
    assert error.message.startswith("No such option")
    assert "error: No such option" in step.summary


def test_nothing_that_a_remote_prints_is_a_command(family: Family, step: Step) -> None:
    """A hook of the remote prints what the runner would obey, at the beginning of lines and within them."""
    hook = family.space.path / "hooks/pre-receive"
    hook.write_text(
        "#!/bin/sh\n"
        "printf '%s\\r%s\\n' no '::add-mask::owned' '  ::stop-commands::owned' '::set-env name=PATH::owned' >&2\n"
        "echo 'go ##[set-env name=PATH]owned' >&2\necho '```' >&2\necho '</details><h1>' >&2\nexit 1\n"
    )
    hook.chmod(0o755)
    done = family.sync()
    (error,) = commands(done)
    assert (done.code, error.name) == (3, "error")
    assert "owned" in error.message
    assert "\\u0023#[set-env name=PATH]owned" in done.out
    assert kinds(step.summary).isdisjoint({"html_inline", "link_open", "image"})
    assert step.summary.count("\n````text\n") == 1  # the remote's own fence ends nothing


@pytest.mark.slow
def test_names_of_files_and_subjects_are_only_shown(family: Family, step: Step, run_cli: RunCli) -> None:
    family.commit(EVIL, {f"core/src/{EVIL.replace('/', '.')}\n::warning::x.py": "x\n"})
    assert family.sync().code == 0
    family.edit(EVIL, {"training/train.py": f"{EVIL}\n::set-output name=a::b\n"})
    done = run_cli("diff", "--patch", cwd=family.clone.path)
    assert "\\u003a:set-output" not in done.out  # a patch line begins with a sign
    assert commands(done) == []
    for args in (("status",), ("status", "--json"), ("diff", "--json"), ("sync", "--dry-run", "--json")):
        assert {one.name for one in commands(run_cli(*args, cwd=family.clone.path))} <= {"warning"}
    assert kinds(step.summary).isdisjoint({"html_inline", "image", "link_open"})
    assert set(cells(step.summary)) <= {5, 6}


def test_json_means_the_same_with_the_mark_escaped(family: Family, step: Step, run_cli: RunCli) -> None:
    path = "core/src/##[add-mask]x.py"
    family.commit("Add", {path: "x\n"})
    done = run_cli("sync", "--dry-run", "--json", cwd=family.clone.path)
    assert commands(done) == []
    assert "training/##[add-mask]x.py" in [change["path"] for change in done.json()["targets"][0]["changes"]]
    assert step.outputs["planned"] == "space"


def test_a_summary_that_cannot_be_written_fails_nothing(
    family: Family, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(family.folder))
    done = family.sync()
    (warning,) = commands(done)
    assert (done.code, warning.name) == (0, "warning")
    assert step.outputs == {}
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name)
    done = family.sync()
    assert (done.code, commands(done)) == (0, [])


@pytest.mark.slow
def test_a_summary_keeps_to_what_a_step_may_have(family: Family, step: Step) -> None:
    family.commit("Many", {f"core/src/{number:05}{'x' * 200}.py": "x\n" for number in range(50)})
    step.summary_file.write_bytes(b"x" * ((1 << 20) - 3000) + b"\n\n")
    assert family.sync().code == 0
    text = step.summary_file.read_bytes()
    assert 1 << 20 >= len(text) > (1 << 20) - 400
    added = text.decode().partition("\n\n")[2]
    assert added.endswith(
        "```\n\n</details>\n\n\nThe rest is left out here: a summary may have 1 MiB. The log has all of it.\n"
    )
    assert added.count("```") == 2
    before = fingerprint(step.summary_file)
    assert family.sync().code == 0
    assert fingerprint(step.summary_file) == before


def test_an_adoption(family: Family, step: Step, run_cli: RunCli) -> None:
    family.edit("Copied", {"training/train.py": "train\n", "configs/small.json": "{}\n"})
    assert run_cli("adopt", "space", "--dry-run", cwd=family.clone.path).code == 0
    assert (step.outputs["planned"], step.outputs["pushed"], step.outputs["changed"]) == ("space", "", "false")
    assert run_cli("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    assert (step.outputs["pushed"], step.outputs["commit"]) == ("space", family.clone.tips()["refs/heads/main"])
    assert "### openllm-repos adopt\n" in step.summary
    assert "| `space` | adopted | " in step.summary


def test_a_release_and_its_verification(tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = Releases.make(tmp_path / "releases", run_cli)
    step = Step.enter(tmp_path / "runner", releases.clone.path, monkeypatch)
    assert run_cli("release", "1.0.0", "--dry-run", cwd=releases.clone.path).code == 0
    assert step.summary.startswith("### openllm-repos release: 1.0.0: dry run\n")
    assert (step.outputs["changed"], step.outputs["tag"]) == ("false", "v1.0.0")
    assert run_cli("release", "1.0.0", "--yes", cwd=releases.clone.path).code == 0
    assert (step.outputs["changed"], step.outputs["version"]) == ("true", "1.0.0")
    assert {"main", "space"} <= set(step.outputs["pushed"].split())
    assert run_cli("release", "verify", cwd=releases.clone.path).code == 0
    assert (step.outputs["complete"], step.outputs["faulty"]) == ("true", "")
    releases.remotes["space"].git("update-ref", "-d", "refs/tags/v1.0.0")
    done = run_cli("release", "verify", cwd=releases.clone.path)
    assert {one.name for one in commands(done)} == {"error"}
    assert (done.code, step.outputs["complete"], step.outputs["faulty"]) == (1, "false", "space")
    done = run_cli("release", "9.9.9", "--dry-run", cwd=releases.clone.path)
    assert {one.properties["title"] for one in commands(done)} == {"Release 9.9.9"}


@pytest.fixture
def held(family: Family, step: Step, run_cli: RunCli) -> str:
    """Hold the Space at the source's first commit, which lacks the second; return the first ten digits of it."""
    first = family.clone.tip()
    family.synced()
    family.commit("Bad", {"core/src/model.py": "bad\n"})
    family.synced()
    assert run_cli("rollback", "--yes", "space", "--to", first, cwd=family.clone.path).code == 0
    step.summary_file.write_text("", encoding="utf-8")
    return first[:10]


def test_a_held_target_is_a_notice_and_no_error(family: Family, step: Step, held: str, run_cli: RunCli) -> None:
    for args in ((), ("--dry-run",), ("space", "--leave-held"), ("space", "--leave-held", "--dry-run")):
        step.summary_file.write_text("", encoding="utf-8")
        done = family.sync(*args)
        (notice,) = commands(done)
        assert (done.code, notice.name) == (0, "notice")
        assert notice.message == (
            f"space: is held at {held} since it was rolled back; left alone\nnext: openllm-repos rollback space --lift"
        )
        assert "| `space` | held, left alone | - | - | - | `" in step.summary
        assert (step.outputs["held"], step.outputs["stopped"], step.outputs["pushed"]) == ("space", "", "")
    assert run_cli("status", "--leave-held", cwd=family.clone.path).code == 2
    done = run_cli("status", "--check", "--leave-held", cwd=family.clone.path)
    assert (done.code, [one.name for one in commands(done)], step.outputs["held"]) == (0, ["notice"], "space")
    assert run_cli("status", "--check", cwd=family.clone.path).code == 1


@pytest.mark.slow
@pytest.mark.usefixtures("held")
def test_a_held_target_that_a_person_named_or_edited_is_more(family: Family, step: Step, run_cli: RunCli) -> None:
    done = family.sync("space")
    assert (done.code, [one.name for one in commands(done)]) == (3, ["error"])
    assert (step.outputs["held"], step.outputs["stopped"]) == ("space", "space")
    family.edit("Hotfix", {"training/model.py": "fixed\n"})
    done = run_cli("status", "--check", "--leave-held", cwd=family.clone.path)
    assert (done.code, [one.name for one in commands(done)]) == (1, ["warning"])


def test_a_rollback_its_end_and_an_undo(family: Family, step: Step, run_cli: RunCli) -> None:
    first = family.clone.tip()
    family.synced()
    family.commit("Bad", {"core/src/model.py": "bad\n"})
    family.synced()

    def told(*args: str) -> tuple[int, dict[str, str], list[str]]:
        step.summary_file.write_text("", encoding="utf-8")
        step.output_file.write_text("", encoding="utf-8")
        done = run_cli(*args, cwd=family.clone.path)
        return done.code, step.outputs, [one.name for one in commands(done)]

    nothing = {"commit": first, "changed": "false", "pushed": "", "planned": "space", "stopped": ""}
    assert told("rollback", "space", "--to", first, "--dry-run") == (0, nothing, ["notice"])
    assert step.summary.startswith("### openllm-repos rollback: dry run\n")
    assert "| `space` | would be rolled back | 1 | 1 | - | " in step.summary
    done = nothing | {"changed": "true", "pushed": "space"}
    assert told("rollback", "space", "--to", first, "--json", "--yes") == (0, done, ["notice"])
    assert "| `space` | rolled back | 1 | 1 | - | " in step.summary
    assert f"space: held at {first[:10]}, now at " in step.summary
    assert told("rollback", "space", "--lift", "--yes")[1]["pushed"] == "space"
    assert "| `space` | no longer held | 1 | 0 | - | " in step.summary
    del done["commit"]
    assert told("undo") == (2, done | {"changed": "false", "pushed": ""}, ["error"])
    assert "next: openllm-repos undo --yes" in step.summary
    assert told("undo", "--yes") == (0, done, [])
    assert "| `space` | taken back | " in step.summary
    family.edit("Hotfix", {"training/model.py": "fixed\n"})
    code, outputs, notes = told("rollback", "space", "--to", "v9")
    assert (code > 1, outputs, notes) == (True, {}, ["error"])


def test_an_import(family: Family, step: Step, run_cli: RunCli) -> None:
    family.synced()
    family.edit(EVIL, {"training/train.py": "fixed\n"})
    for args, changed in ((["--dry-run"], "false"), ([], "true"), ([], "false")):
        done = run_cli("import", "space", *args, cwd=family.clone.path)
        assert (done.code, commands(done)) == (0, [])
        assert (step.outputs["branch"], step.outputs["changed"]) == ("import/space", changed)
    assert step.outputs["commit"] == family.clone.tip("import/space")
    assert "### openllm-repos import: dry run\n" in step.summary
    assert kinds(step.summary).isdisjoint({"html_inline", "image", "link_open"})


@pytest.mark.slow
def test_an_import_that_is_pushed(hub_family: HubFamily, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_family.synced()
    hub_family.edit("Stop at the end", {"training/train.py": "fixed\n"})
    step = Step.enter(tmp_path / "runner", hub_family.clone.path, monkeypatch)
    for pushed in ("main", ""):
        assert hub_family.run("import", "space", "--pr", "--yes", cwd=hub_family.clone.path).code == 0
        assert (step.outputs["pushed"], step.outputs["commit"]) == (pushed, hub_family.origin.tip("import/space"))
    assert "### openllm-repos import\n\n`Pull request`\n" in step.summary  # a link, where the host has https


@pytest.mark.slow
def test_a_publish_and_one_that_is_refused(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing = Publishing.on(sandbox, tmp_path / "family", run_cli)
    step = Step.enter(tmp_path / "runner", publishing.top, monkeypatch)
    publishing.publish("--dry-run")
    assert "| `small-7k` | would be published | 4 | " in step.summary
    publishing.publish()
    assert (step.outputs["changed"], step.outputs["pushed"]) == ("true", "training-data small-7k")
    assert f"https://huggingface.co/{MODEL}/commit/{publishing.model.tip('main')}" in step.summary
    publishing.write({"exports/small/.env": b"TOKEN=hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"})
    done = run_cli("publish", "--yes", cwd=publishing.top)
    assert [(one.name, one.message.partition(":")[0]) for one in commands(done)] == [("error", "small-7k")]
    assert (done.code > 1, step.outputs["stopped"], step.outputs["changed"]) == (True, "small-7k", "false")
    assert "| `small-7k` | **stopped** | - | - |\n" in step.summary
    assert "hf_aaaa" not in step.summary


def test_a_pin(tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Pinned.make(tmp_path, run_cli)
    step = Step.enter(tmp_path / "runner", source.clone.path, monkeypatch)
    source.pin("--check")
    assert step.outputs == {"changed": "false", "planned": "small", "stopped": ""}
    assert "### openllm-repos pin: dry run\n" in step.summary
    source.pinned()
    assert step.outputs["changed"] == "true"
    assert f"small: pinned {PATH} at {source.commits[2][:10]}" in step.summary
    (error,) = commands(source.pin("--to", "v9"))
    assert (error.name, step.outputs["stopped"], step.outputs["changed"]) == ("error", "small", "false")
    assert error.message.count("small") == 1
