"""The environment that git gets: a person's own settings, nothing that points git elsewhere."""

from __future__ import annotations

from openllm_repos.git.environment import git_environment


def test_what_says_who_and_how_is_kept_and_what_redirects_git_is_not() -> None:
    kept = {
        "PATH": "/bin",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_SSH_COMMAND": "ssh -i key",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "Ada",
        "GIT_HTTP_PROXY_AUTHMETHOD": "basic",
    }
    dropped = {
        "GIT_DIR": "/elsewhere",
        "GIT_WORK_TREE": "/elsewhere",
        "GIT_INDEX_FILE": "/elsewhere/index",
        "GIT_OBJECT_DIRECTORY": "/elsewhere/objects",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/elsewhere/objects",
        "GIT_NAMESPACE": "other",
        "GIT_REPLACE_REF_BASE": "refs/mine",
        "GIT_CONFIG_PARAMETERS": "'core.fsmonitor'='evil'",
        "GIT_TRACE": "1",
        "GIT_SHALLOW_FILE": "/elsewhere/shallow",
        "GIT_DEFAULT_HASH": "sha256",
    }
    made = git_environment({**kept, **dropped})
    assert kept.items() <= made.items()
    assert not dropped.keys() & made.keys()


def test_no_one_is_asked_and_no_view_of_ones_own_counts() -> None:
    made = git_environment({"GIT_TERMINAL_PROMPT": "1", "GIT_NO_REPLACE_OBJECTS": "0", "LC_ALL": "de_DE"})
    assert (made["GIT_TERMINAL_PROMPT"], made["GIT_NO_REPLACE_OBJECTS"], made["LC_ALL"]) == ("0", "1", "C")


def test_plain_http_only_where_the_caller_allows_it_and_commands_as_transports_never() -> None:
    assert git_environment({})["GIT_ALLOW_PROTOCOL"] == "https:ssh:file"
    assert git_environment({"GIT_ALLOW_PROTOCOL": "https:http:ext"})["GIT_ALLOW_PROTOCOL"] == "https:http"


def test_a_caller_who_allows_fewer_transports_is_not_overruled() -> None:
    assert git_environment({"GIT_ALLOW_PROTOCOL": "https"})["GIT_ALLOW_PROTOCOL"] == "https"
    assert git_environment({"GIT_ALLOW_PROTOCOL": ""})["GIT_ALLOW_PROTOCOL"] == ""


def test_the_process_own_environment_is_the_default() -> None:
    assert git_environment()["GIT_CONFIG_NOSYSTEM"] == "1"  # as the sealed environment of every test has it
