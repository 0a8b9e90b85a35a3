"""huggingface_hub works on the sandbox as it does on the Hub, and what it does is there for git."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, KernelInfo, RepoCard, RepoFile
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from openllm_repos.sandbox import Sandbox
from openllm_repos.sandbox.repository import Change
from tests.support.hub import client, clone, push
from tests.support.repositories import Bare

SPACE = "lemms/openllm"


@pytest.fixture
def api(sandbox: Sandbox) -> HfApi:
    """Return the client of a person who may write; there is a Space."""
    sandbox.hub.create("space", SPACE, sdk="gradio")
    return client(sandbox)


@pytest.fixture
def space(sandbox: Sandbox, api: HfApi) -> Bare:
    """Return the bare repository of the Space."""
    del api
    return Bare(sandbox.hub.path("space", SPACE))


def status_of(call: Callable[[], object]) -> int:
    with pytest.raises(HfHubHTTPError) as caught:
        call()
    return int(caught.value.response.status_code)


def test_whoami_tells_user_and_role(sandbox: Sandbox) -> None:
    for token, user, role in (("hf_write", "lemms", "write"), ("hf_read", "lemms", "read")):
        told = client(sandbox, token).whoami()
        assert (told["name"], told["auth"]["accessToken"]["role"]) == (user, role)
    fine = client(sandbox, "hf_fine").whoami()["auth"]["accessToken"]["fineGrained"]["scoped"]
    assert [(one["entity"]["type"], one["entity"]["name"]) for one in fine] == [("space", SPACE)]


def test_a_token_that_is_not_known_is_told_so(sandbox: Sandbox) -> None:
    assert status_of(client(sandbox, "hf_wrong").whoami) == 401


@pytest.mark.parametrize("kind", ["model", "dataset", "space"])
def test_a_new_repository_has_the_hubs_first_commit(sandbox: Sandbox, kind: str) -> None:
    api = client(sandbox)
    sdk = "docker" if kind == "space" else None
    url = api.create_repo("lemms/new", repo_type=kind, space_sdk=sdk, private=True)
    folder = {"model": "", "dataset": "datasets/", "space": "spaces/"}[kind]
    assert str(url) == f"{sandbox.hub.url}/{folder}lemms/new"
    info = api.repo_info("lemms/new", repo_type=kind, files_metadata=True)
    assert info.private
    assert not isinstance(info, KernelInfo)
    attributes = next(one for one in info.siblings or [] if one.rfilename == ".gitattributes")
    models, datasets = "a6344aac8c09253b3b630fb776ae94478aa0275b", "1ef325f1b111266a6b26e0196871bd78baa8c2f3"
    assert attributes.blob_id == (datasets if kind == "dataset" else models)
    assert [one.title for one in api.list_repo_commits("lemms/new", repo_type=kind)] == ["initial commit"]
    assert status_of(lambda: api.create_repo("lemms/new", repo_type=kind, space_sdk=sdk)) == 409
    assert str(api.create_repo("lemms/NEW", repo_type=kind, space_sdk=sdk, exist_ok=True)).endswith("lemms/NEW")


def test_a_repository_in_somebody_elses_namespace_cannot_be_made(sandbox: Sandbox) -> None:
    assert status_of(lambda: client(sandbox, "hf_other").create_repo("lemms/new")) == 403
    assert status_of(lambda: client(sandbox, "hf_read").create_repo("lemms/new")) == 403
    assert status_of(lambda: client(sandbox, "").create_repo("lemms/new")) == 401


def test_a_free_account_pays_for_a_space_that_runs(sandbox: Sandbox) -> None:
    sandbox.hub.free_account = True
    api = client(sandbox)
    assert status_of(lambda: api.create_repo("lemms/app", repo_type="space", space_sdk="gradio")) == 402
    assert api.create_repo("lemms/page", repo_type="space", space_sdk="static").repo_type == "space"


def test_a_repository_is_moved_and_deleted(sandbox: Sandbox, api: HfApi) -> None:
    api.move_repo(SPACE, "lemms/moved", repo_type="space")
    assert api.space_info("lemms/moved").id == "lemms/moved"
    with pytest.raises(RepositoryNotFoundError):
        api.space_info(SPACE)
    api.delete_repo("lemms/moved", repo_type="space")
    assert not sandbox.hub.path("space", "lemms/moved").exists()


def test_a_commit_through_the_api_is_a_commit_for_git(api: HfApi, space: Bare) -> None:
    first = space.tip("main")
    adds = [CommitOperationAdd("app.py", b"print()\n"), CommitOperationAdd('odd "name"\\.txt'.replace("\\", ""), b"x")]
    done = api.create_commit(SPACE, adds, repo_type="space", commit_message="Add", commit_description="Why not.")
    assert space.tip("main") == done.oid
    assert space.parents("main") == [first]
    assert space.paths() == [".gitattributes", "README.md", "app.py", 'odd "name".txt']
    assert space.git("log", "-1", "--format=%an|%B", "main") == "lemms|Add\n\nWhy not.\n"
    space.fsck()


def test_files_and_folders_are_deleted_through_the_api(api: HfApi, space: Bare) -> None:
    adds = [CommitOperationAdd(path, b"x") for path in ("a/b.txt", "a/c/d.txt", "ab.txt", "e.txt")]
    api.create_commit(SPACE, adds, repo_type="space", commit_message="Add")
    gone = [CommitOperationDelete("a/"), CommitOperationDelete("e.txt")]
    api.create_commit(SPACE, gone, repo_type="space", commit_message="Remove")
    assert space.paths() == [".gitattributes", "README.md", "ab.txt"]
    with pytest.raises(RemoteEntryNotFoundError):
        api.delete_file("e.txt", SPACE, repo_type="space")


def test_a_commit_on_a_parent_that_is_not_the_tip_is_412(api: HfApi, space: Bare) -> None:
    old = space.tip("main")
    api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=SPACE, repo_type="space", parent_commit=old)
    add = [CommitOperationAdd("b.txt", b"2")]
    assert (
        status_of(lambda: api.create_commit(SPACE, add, repo_type="space", commit_message="b", parent_commit=old))
        == 412
    )
    assert "b.txt" not in space.paths()


def test_of_commits_that_race_on_one_parent_one_wins(api: HfApi, space: Bare) -> None:
    old = space.tip("main")

    def commit(number: int) -> int:
        add = [CommitOperationAdd(f"{number}.txt", b"x")]
        try:
            api.create_commit(SPACE, add, repo_type="space", commit_message="race", parent_commit=old)
        except HfHubHTTPError as error:
            return int(error.response.status_code)
        return 200

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(commit, range(8)))
    assert codes == [200, *[412] * 7]
    assert space.git("rev-list", "--count", "main") == "2"
    assert list(space.tips()) == ["refs/heads/main"]


def test_a_push_is_seen_by_the_api(api: HfApi, sandbox: Sandbox, tmp_path: Path) -> None:
    work = clone(sandbox, f"spaces/{SPACE}", tmp_path / "work")
    tip = work.commit("by git", {"training/model.py": "x = 1\n"})
    work.git("tag", "-a", "-m", "one", "v1")
    assert push(work, "HEAD:refs/heads/main", "v1").code == 0
    refs = api.list_repo_refs(SPACE, repo_type="space", include_pull_requests=True)
    assert [(one.name, one.target_commit) for one in refs.branches] == [("main", tip)]
    assert [(one.ref, one.target_commit) for one in refs.tags] == [("refs/tags/v1", tip)]
    assert refs.pull_requests == []
    assert [one.title for one in api.list_repo_commits(SPACE, repo_type="space")] == ["by git", "initial commit"]
    assert api.space_info(SPACE).sha == tip


@pytest.mark.slow
def test_a_history_of_more_than_a_page_is_listed_whole(api: HfApi, sandbox: Sandbox, tmp_path: Path) -> None:
    work = clone(sandbox, f"spaces/{SPACE}", tmp_path / "work")
    for number in range(51):
        work.commit(f"commit {number}")
    push(work)
    titles = [one.title for one in api.list_repo_commits(SPACE, repo_type="space", formatted=True)]
    assert titles == [*(f"commit {number}" for number in range(50, -1, -1)), "initial commit"]


def test_the_tree_is_listed_by_folder_and_whole(api: HfApi) -> None:
    adds = [CommitOperationAdd("a/b.txt", b"bb"), CommitOperationAdd("c.txt", b"c")]
    api.create_commit(SPACE, adds, repo_type="space", commit_message="Add")
    top = [one.path for one in api.list_repo_tree(SPACE, repo_type="space")]
    assert top == [".gitattributes", "README.md", "a", "c.txt"]
    whole = list(api.list_repo_tree(SPACE, repo_type="space", recursive=True, expand=True))
    assert [one.path for one in whole] == [".gitattributes", "README.md", "a", "a/b.txt", "c.txt"]
    file = whole[3]
    assert isinstance(file, RepoFile)
    assert (file.size, file.last_commit and file.last_commit.title) == (2, "Add")
    assert [one.path for one in api.list_repo_tree(SPACE, "a", repo_type="space")] == ["a/b.txt"]
    assert [one.path for one in api.get_paths_info(SPACE, ["c.txt", "none"], repo_type="space")] == ["c.txt"]
    with pytest.raises(RemoteEntryNotFoundError):
        list(api.list_repo_tree(SPACE, "none", repo_type="space"))


def test_a_tree_of_more_than_a_page_is_listed_whole(api: HfApi, sandbox: Sandbox) -> None:
    names = [f"data/{number:04}.txt" for number in range(1001)]
    repo = sandbox.hub.repo("space", SPACE)
    tip = repo.resolve("main")
    repo.commit(Change(dict.fromkeys(names, b"x\n")), "Many\n", "lemms", parent=tip, ref="refs/heads/main", old=tip)
    listed = api.list_repo_files(SPACE, repo_type="space")
    assert sorted(set(listed) & set(names)) == names
    assert len([seen for seen in sandbox.hub.log if "/tree/" in seen.path]) == 2


def test_a_file_is_downloaded_at_a_revision_with_a_slash(api: HfApi, tmp_path: Path) -> None:
    api.create_branch(SPACE, repo_type="space", branch="try/it")
    add = b"on the branch\n"
    api.upload_file(path_or_fileobj=add, path_in_repo="d/a.txt", repo_id=SPACE, repo_type="space", revision="try/it")
    found = api.hf_hub_download(SPACE, "d/a.txt", repo_type="space", revision="try/it", cache_dir=tmp_path / "cache")
    assert Path(found).read_bytes() == add
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download(SPACE, "d/a.txt", repo_type="space", cache_dir=tmp_path / "cache")
    with pytest.raises(RevisionNotFoundError):
        api.hf_hub_download(SPACE, "d/a.txt", repo_type="space", revision="none", cache_dir=tmp_path / "cache")


def test_tags_are_made_once_and_deleted(api: HfApi, space: Bare) -> None:
    api.create_tag(SPACE, repo_type="space", tag="v1", tag_message="The first.")
    api.create_tag(SPACE, repo_type="space", tag="light", revision="main")
    assert space.git("cat-file", "-t", "refs/tags/v1") == "tag"
    assert space.git("for-each-ref", "--format=%(contents)%(taggername)", "refs/tags/v1") == "The first.\nlemms"
    assert space.git("cat-file", "-t", "refs/tags/light") == "commit"
    assert status_of(lambda: api.create_tag(SPACE, repo_type="space", tag="v1")) == 409
    assert status_of(lambda: api.create_tag(SPACE, repo_type="space", tag="bad..name")) == 400
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(SPACE, repo_type="space", tag="v2", revision="none")
    api.delete_tag(SPACE, repo_type="space", tag="v1")
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(SPACE, repo_type="space", tag="v1")
    assert list(space.tips()) == ["refs/heads/main", "refs/tags/light"]


def test_branches_are_made_once_and_deleted_save_for_main(api: HfApi, space: Bare) -> None:
    api.create_branch(SPACE, repo_type="space", branch="try")
    assert space.tip("try") == space.tip("main")
    assert status_of(lambda: api.create_branch(SPACE, repo_type="space", branch="try")) == 409
    assert status_of(lambda: api.create_branch(SPACE, repo_type="space", branch="a..b")) == 400
    api.delete_branch(SPACE, repo_type="space", branch="try")
    assert status_of(lambda: api.delete_branch(SPACE, repo_type="space", branch="main")) == 403
    with pytest.raises(RevisionNotFoundError):
        api.delete_branch(SPACE, repo_type="space", branch="try")


def test_somebody_without_rights_proposes_a_change(sandbox: Sandbox, api: HfApi, space: Bare) -> None:
    other = client(sandbox, "hf_other")
    add = [CommitOperationAdd("a.txt", b"a")]
    assert status_of(lambda: other.create_commit(SPACE, add, repo_type="space", commit_message="mine")) == 403
    done = other.create_commit(SPACE, add, repo_type="space", commit_message="mine", create_pr=True)
    assert done.pr_url == f"{sandbox.hub.url}/spaces/{SPACE}/discussions/1"
    assert space.tip("refs/pr/1") == done.oid
    assert space.paths("main") == [".gitattributes", "README.md"]
    pulls = api.list_repo_refs(SPACE, repo_type="space", include_pull_requests=True).pull_requests
    assert [one.ref for one in pulls or []] == ["refs/pr/1"]


def test_a_card_is_validated_as_by_the_hub(api: HfApi) -> None:
    del api
    RepoCard("---\nlicense: mit\n---\n").validate(repo_type="model")
    with pytest.raises(ValueError, match=r"colorTo.. must be one of"):
        RepoCard("---\nsdk: gradio\ncolorTo: mauve\n---\n").validate(repo_type="space")


def test_a_commit_with_a_bad_card_or_path_is_refused(api: HfApi) -> None:
    def upload(path: str, data: bytes) -> object:
        return api.upload_file(path_or_fileobj=data, path_in_repo=path, repo_id=SPACE, repo_type="space")

    with pytest.raises(ValueError, match="Invalid metadata in README"):
        upload("README.md", b"---\nsdk: cobol\n---\n")
    assert status_of(lambda: upload("a\\b", b"x")) == 422


def test_what_goes_through_lfs_is_added_to_gitattributes(api: HfApi, space: Bare) -> None:
    before = space.read(".gitattributes")
    files = {"a.bin": b"\0a", "my data.xyz": b"\0b"}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(SPACE, operations, commit_message="Large", repo_type="space")
    assert space.read(".gitattributes") == before + b"my[[:space:]]data.xyz filter=lfs diff=lfs merge=lfs -text\n"


def test_files_that_gitignore_names_are_left_out_in_silence(api: HfApi, space: Bare, tmp_path: Path) -> None:
    for name, content in ((".gitignore", "*.log\n"), ("a.log", "noise"), ("a.py", "x = 1\n")):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / name).write_text(content)
    api.upload_folder(folder_path=tmp_path / "folder", repo_id=SPACE, repo_type="space")
    assert space.paths() == [".gitattributes", ".gitignore", "README.md", "a.py"]


def test_a_call_that_the_sandbox_does_not_serve_is_loud(api: HfApi) -> None:
    assert status_of(lambda: api.get_repo_discussions(SPACE, repo_type="space").__next__()) == 501
