"""Who else writes to a repo of the family: workflows and scripts in the source that upload or push there.

Such a file and a sync are two writers of one branch: the upload takes back what the sync brought, or looks like edits
that somebody made there. What a file only reads or mentions is no writer, and neither is one whose target stands in a
secret: only what can be followed to an id in the same file is named.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.url import identity_of

if TYPE_CHECKING:
    from openllm_repos.git.repository import Repository

_LARGEST = 1 << 18
_DEPTH = 3  # how often a name may stand for another one
_MANY = 16  # values of one text that are tried

_SUFFIXES = frozenset({".bash", ".cfg", ".ipynb", ".mk", ".ps1", ".py", ".sh", ".toml", ".yaml", ".yml", ".zsh"})
_TESTS = frozenset({"test", "tests"})
_NAMES = frozenset({"Jenkinsfile", "Justfile", "Makefile", "justfile", "makefile", "package.json"})

# huggingface_hub's ways to write; repo_id by name, or the first argument of those that take it so
_CALL = re.compile(
    r"\b(upload_file|upload_folder|upload_large_folder|create_commit|delete_files?|delete_folder|push_to_hub"
    r"|CommitScheduler)\s*\("
)
_REPO_ID = re.compile(r"\brepo_id\s*=\s*([^,()\n]+(?:\([^()\n]*\))?)")
_FIRST = re.compile(r"\s*([^,()=\n]+)\s*[,)]")
_POSITIONAL = frozenset({"create_commit", "push_to_hub"})
_REPO_TYPE = re.compile(r"repo[_-]type[\s\"',=]+(space|model|dataset)")
# its command line
_COMMAND = re.compile(
    r"\b((?:huggingface-cli|hf)\s+(?:upload(?:-large-folder)?|repo-files))\s+((?:[^\n\\]|\\\n){1,2000})"
)
_OPTION = re.compile(r"--?[\w-]+(?:=\S+)?")
# git, by the URL itself or by a remote that is made in the same file
_URL = re.compile(r"(?:(?:https?|ssh)://|git@)(?:\$\{\{[^}\n]*\}\}|[^\s\"';|&]){1,400}")
_BEFORE_URL = re.compile(r"\bgit\b.*\b(?:push|remote\s+(?:add|set-url))\b")
_GIT_PUSH = re.compile(r"\bgit\b[^\n]{0,300}?\bpush\b")
# actions: huggingface/hub-sync, nateraw/huggingface-sync-action, JacobLinCool/huggingface-sync ...
_ACTION = re.compile(r"\buses:\s*[\"']?((?=\S*(?:sync|upload|push|deploy))\S*(?:hugging-?face|\bhf-)[^\s\"']*)")
_STEP = re.compile(r"^\s*- ", re.MULTILINE)
_INPUT = re.compile(r"^[ \t]*([\w-]+):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)

_QUOTED_ID = re.compile(r"[\"']([\w.-]+/[\w.-]+)[\"']")
_REFERENCE = re.compile(
    r"\$\{\{\s*(?:env|inputs|vars)\.(\w+)[^}]*\}\}|\$\{(\w+)[^}]*\}|\$(\w+)|(?<!\$)\{(?:self\.|args\.)?(\w+)\}"
)
_VARIABLE = re.compile(r"(?:self\.|args\.)?([A-Za-z_]\w*)")
_ENVIRONMENT = re.compile(r"(?:os\.)?(?:environ(?:\.get)?|getenv)\s*[\[(]\s*[\"'](\w+)[\"']")


@dataclass(frozen=True, slots=True)
class Writer:
    """A place in the source that writes to a repo of the family.

    Attributes:
        path: the file.
        line: where in it.
        how: what it does there, in its own words, such as ``upload_folder``.
        repo: the repo that it writes to.
    """

    path: str
    line: int
    how: str
    repo: Repo

    def __str__(self) -> str:
        """Return it as people read it, behind the name of the repo."""
        return f"has two writers: openllm-repos, and {self.path}, line {self.line} ({self.how})"


def find_writers(manifest: Manifest, repository: Repository) -> tuple[Writer, ...]:
    """Return who else writes to what we write to, of each file and repo the first place; the work tree is read.

    Args:
        manifest: whose targets and published repos are meant.
        repository: the clone of the source.
    """
    repos = [repo for repo in manifest.repos if repo.maps or repo.publish]
    if repository.top is None or not repos:
        return ()
    names = sorted({repo.url.path.rpartition("/")[2].removesuffix(".git") for repo in repos})
    wanted = [part for name in names for part in ("-e", name)]
    listed = repository.person().run("grep", "-z", "-l", "-I", "-i", "-F", *wanted, "--", ok=(0, 1))
    found: dict[tuple[str, str], Writer] = {}
    for path in listed.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        file = repository.top / path
        if not _is_script(path) or file.is_symlink() or not file.is_file() or file.stat().st_size > _LARGEST:
            continue
        for writer in writers_in(path, file.read_text(encoding="utf-8", errors="replace"), repos):
            found.setdefault((path, writer.repo.name), writer)
    return tuple(found.values())


def writers_in(path: str, text: str, repos: list[Repo]) -> Iterator[Writer]:
    """Yield the places of one file that write to one of the repos, in their order."""
    text = re.sub(r"^[ \t]*(?:#|//)[^\n]*", "", text, flags=re.MULTILINE)  # comments; the lines stay
    for at, how, where in sorted(_writes(text)):
        line = text.count("\n", 0, at) + 1
        yield from (Writer(path, line, how, repo) for repo in repos if where.leads_to(repo))


def _is_script(path: str) -> bool:
    place = PurePosixPath(path)
    if not _TESTS.isdisjoint(place.parts) or place.name.startswith("test_"):  # those write to stand-ins
        return False
    return place.suffix in _SUFFIXES or place.name in _NAMES


@dataclass(frozen=True, slots=True, order=True)
class _Where:
    """Where something is written to.

    Attributes:
        texts: ids and URLs, with every name in them followed as far as the file says.
        kind: what kind of repository it is on the Hub, or an empty string.
    """

    texts: tuple[str, ...]
    kind: str = ""

    def leads_to(self, repo: Repo) -> bool:
        if repo.repo_id is not None and repo.on_hub and self.kind in {"", repo.kind}:
            known = {text.casefold() for text in self.texts}
            if repo.repo_id.casefold() in known:
                return True
        return any(identity_of(_plain(text)) == repo.url.identity for text in self.texts if "/" in text)


def _plain(url: str) -> str:
    """Return a URL without what stands for a login, which may be an expression of any kind."""
    scheme, there, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if there else url


def _writes(text: str) -> Iterator[tuple[int, str, _Where]]:
    """Yield the places that write, what they do, and where they write to."""
    for found in _CALL.finditer(text):
        arguments = _arguments(text, found.end())
        named = _REPO_ID.search(arguments) or (_FIRST.match(arguments) if found[1] in _POSITIONAL else None)
        if named is not None:
            kind = _REPO_TYPE.search(arguments)
            yield found.start(), found[1], _Where(_values(named[1], text, found.start()), kind[1] if kind else "")
    for found in _COMMAND.finditer(text):
        words = [word.strip("\"',[]()\\") for word in found[2].split()]
        first = next((word for word in words if word not in {"", "delete"} and not _OPTION.fullmatch(word)), "")
        kind = _REPO_TYPE.search(found[2])
        yield (
            found.start(),
            " ".join(found[1].split()),
            _Where(_values(first, text, found.start()), kind[1] if kind else ""),
        )
    pushes = _GIT_PUSH.search(text) is not None
    for found in _URL.finditer(text) if pushes else ():
        before = text[max(text.rfind("\n", 0, found.start()), found.start() - 300) + 1 : found.start()]
        if _BEFORE_URL.search(before):
            yield found.start(), "git push", _Where(_values(found[0], text, found.start()))
    for found in _ACTION.finditer(text):
        after = _STEP.search(text, found.end())
        given = dict(_INPUT.findall(text, found.end(), after.start() if after else len(text)))
        values = [_values(value, text, found.start()) for value in given.values()]
        pairs = ("/".join(pair) for pair in itertools.permutations([one for some in values for one in some], 2))
        yield found.start(), found[1].partition("@")[0], _Where((*itertools.chain(*values), *pairs))


def _arguments(text: str, start: int) -> str:
    """Return what stands between the parentheses of a call."""
    depth = 1
    for at in range(start, min(len(text), start + 4000)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[start : at + 1]
    return text[start : start + 4000]


def _values(expression: str, text: str, at: int, depth: int = _DEPTH) -> tuple[str, ...]:
    """Return the texts that an expression may stand for, by what the file gives to the names in it.

    Args:
        expression: of Python, of a shell, or a value of YAML.
        text: the file.
        at: where in the file it stands.
        depth: how many names may still be followed.
    """
    expression = expression.strip()
    looked_up = _ENVIRONMENT.search(expression)
    if looked_up is not None:
        return (*_QUOTED_ID.findall(expression), *_given_to(looked_up[1], text, at, depth))
    bare = re.sub(r"^[rbf]*(?=[\"'])", "", expression).strip("\"'")
    if bare == expression and (named := _VARIABLE.fullmatch(expression)):
        return (expression, *_given_to(named[1], text, at, depth))
    names = list(_REFERENCE.finditer(bare))
    choices = [_given_to(next(filter(None, name.groups())), text, at, depth) or (name[0],) for name in names]
    made = []
    for values in itertools.islice(itertools.product(*choices), _MANY):
        one = bare
        for name, value in zip(names, values, strict=True):
            one = one.replace(name[0], value)
        made.append(one)
    return (*made, *_QUOTED_ID.findall(expression))


def _given_to(name: str, text: str, at: int, depth: int) -> tuple[str, ...]:
    """Return what a file gives to a name before a place, or else after it: ``NAME=value``, ``"name": value``."""
    if depth == 0:
        return ()
    form = rf"(?<![\w.]){re.escape(name)}[\"']?\s*(?::\s*str\s*)?[:=](?!=)[ \t]*([^\n#]+)"
    assigned = list(itertools.islice(re.finditer(form, text), _MANY))
    before = [one for one in assigned if one.start() < at]
    found = [_values(one[1].rstrip(" ,;"), text, one.start(), depth - 1) for one in before[-1:] or assigned]
    return tuple(dict.fromkeys(itertools.chain(*found)))[:_MANY]
