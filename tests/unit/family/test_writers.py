"""Workflows and scripts of the source that write to the same repo as the tool."""

from __future__ import annotations

from textwrap import dedent

import pytest

from openllm_repos.family.writers import writers_in
from openllm_repos.manifest import Manifest

FAMILY = """
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
[repos.small]
model = "lemms/openllm-small"
[[repos.small.publish]]
from = "exports/small/"
to = "."
[repos.mirror]
url = "https://git.example.com/team/mirror"
[[repos.mirror.map]]
from = "core/src/"
to = "src/"
"""
REPOS = [repo for repo in Manifest.parse(FAMILY).repos if repo.maps or repo.publish]


def named(text: str, path: str = "deploy.yml") -> list[tuple[str, int, str]]:
    """Return who is named for a file: the repo, the line, and what is done there."""
    return [(writer.repo.name, writer.line, writer.how) for writer in writers_in(path, dedent(text), REPOS)]


# The usual spellings, as public workflows and scripts have them.
WRITERS = {
    "the Hub's own tutorial": """
        - name: Push to hub
          env:
            HF_TOKEN: ${{ secrets.HF_TOKEN }}
          run: git push --force https://lemms:$HF_TOKEN@huggingface.co/spaces/lemms/openllm main
        """,
    "a URL made of variables": """
        env:
          HF_USERNAME: lemms
          SPACE_NAME: openllm
        run: git push https://$HF_USERNAME:$HF_TOKEN@huggingface.co/spaces/$HF_USERNAME/${SPACE_NAME} HEAD:main
        """,
    "variables that come after": """
        run: git push "https://user:${{ secrets.HF_TOKEN }}@huggingface.co/spaces/${{ env.SPACE }}" main
        env:
          SPACE: lemms/openllm
        """,
    "a git remote": """
        git remote add space https://lemms:$TOKEN@huggingface.co/spaces/lemms/openllm || true
        git push space main
        """,
    "over ssh": "git push git@hf.co:spaces/lemms/openllm main\n",
    "hf upload": "hf upload --repo-type=space --quiet lemms/openllm ./app .\n",
    "huggingface-cli upload": "huggingface-cli upload \\\n  lemms/openllm . . --repo-type space\n",
    "a command made in Python": """
        space_name = "lemms/openllm"
        run(f"huggingface-cli upload {space_name} app.py app.py")
        """,
    "upload_folder": """
        def upload(space_dir):
            space_repo = "lemms/openllm"
            api.upload_folder(
                folder_path=str(space_dir),
                repo_id=space_repo,
                repo_type="space",
            )
        """,
    "Python in a workflow": """
        env:
          HF_SPACE_REPO: "lemms/openllm"
        run: |
          python -c "
          space_id = '$HF_SPACE_REPO'
          api.upload_file(path_or_fileobj='app.py', path_in_repo='app.py', repo_id=space_id, repo_type='space')
          "
        """,
    "from the environment": """
        SPACE = os.environ.get("SPACE_ID", "lemms/openllm")
        HfApi().create_commit(SPACE, operations=[])
        """,
    "one of two": """
        repo = "lemms/openllm" if live else "lemms/preview"
        api.upload_large_folder(repo_id=repo, folder_path=".", repo_type="space")
        """,
    "the Hub's action": """
        - uses: huggingface/hub-sync@v0.1.0
          with:
            github_repo_id: ${{ github.repository }}
            huggingface_repo_id: lemms/openllm
        """,
    "another action": """
        - uses: JacobLinCool/huggingface-sync@v1
          with:
            user: lemms
            space: openllm
            token: ${{ secrets.HF_TOKEN }}
        - uses: actions/upload-artifact@v4
        """,
}
READERS = {
    "our own commands": "run: openllm-repos sync --yes -- space\n# lemms/openllm\n",
    "a clone": "git clone https://huggingface.co/spaces/lemms/openllm\n",
    "a download": 'snapshot_download("lemms/openllm", repo_type="space")\nfrom_pretrained("lemms/openllm-small")\n',
    "a look": "files = api.list_repo_files(repo_id='lemms/openllm', repo_type='space')\n",
    "an address that is printed": """
        print("https://huggingface.co/spaces/lemms/openllm")
        api.upload_folder(repo_id="lemms/another", folder_path=".", repo_type="space")
        """,
    "a name that goes on": 'api.upload_folder(repo_id="lemms/openllm-preview", folder_path=".", repo_type="space")\n',
    "a model that is named like the Space": 'api.upload_folder(repo_id="lemms/openllm", repo_type="model")\n',
    "two functions that use one name": """
        repo_id = "lemms/openllm-small"
        model = AutoModel.from_pretrained(repo_id)
        repo_id = "me/copy"
        model.push_to_hub(repo_id)
        """,
    "a comment": "# git push https://huggingface.co/spaces/lemms/openllm main\n",
    "a secret": "env:\n  SPACE: ${{ secrets.SPACE }}\nrun: hf upload $SPACE . .  \n",
    "a push to the source": "git push https://x:$TOKEN@github.com/louischua/openllm main\n",
    "a remote that is only fetched": "git remote add s https://huggingface.co/spaces/lemms/openllm\ngit fetch s\n",
}


@pytest.mark.parametrize("text", WRITERS.values(), ids=WRITERS)
def test_a_second_writer_of_the_space_is_named(text: str) -> None:
    assert [name for name, _, _ in named(text)] == ["space"]


@pytest.mark.parametrize("text", READERS.values(), ids=READERS)
def test_what_only_reads_or_writes_elsewhere_is_not_named(text: str) -> None:
    assert named(text) == []


def test_the_line_and_the_way_are_named() -> None:
    assert named("a:\n\nrun: hf upload lemms/openllm . .\n") == [("space", 3, "hf upload")]


def test_any_host_and_what_is_published_count_too() -> None:
    pushed = "git push https://x:$TOKEN@git.example.com/team/mirror.git main\n"
    assert named(pushed) == [("mirror", 1, "git push")]
    assert named('trainer.model.push_to_hub("lemms/openllm-small")\n') == [("small", 1, "push_to_hub")]


def test_a_long_line_is_no_burden() -> None:
    assert named("git push " * 20_000 + "repo_id=" * 20_000) == []
