"""Large files to the Hub's LFS: what it has already is not sent again, and no file is ever whole in memory.

``HfApi`` would do this too, but waits without any limit, tells its progress itself on standard error, and hides
refusals in a RuntimeError. The protocol is that of git-lfs with the Hub's own transfer in parts; it is what
huggingface_hub's ``lfs.py`` speaks.

Xet, the Hub's newer way, is not used: its client is a library of its own that waits as long as it likes, tells nothing
of a file that changes meanwhile, and cannot be held against anything but the real Hub. The Hub takes LFS from clients
that do not know Xet, and moves what they send into Xet storage by itself (its documentation: "Backward Compatibility
with LFS"). What is lost is that a large file of which little changed is sent whole.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.hub.content import HubContent
from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable
from openllm_repos.hub.sending import Body, send

_TOGETHER = 4  # files on their way at once
_GROUP = 100  # files whose links are asked for at once, just before they are used: links end
_TRIES = 5
_PAUSE = 1.0  # seconds before the second try; each further one is twice as long
_LFS = "application/vnd.git-lfs+json"
_PASSING = frozenset({Cause.LIMITED, Cause.SERVER, Cause.CONNECTION, Cause.TIMEOUT})
_LINK_ENDED = 403
_T = TypeVar("_T")


class LargeContent(Protocol):
    """A large file on this machine."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def sha256(self) -> str:
        """Of its content, in hex digits."""
        ...

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        """Yield `length` bytes from `start` on; raises where the file is not what it was."""
        ...


class _Interrupted(EnvironmentProblem):
    """Another file failed, so this one is not sent to its end."""


class LargeFiles:
    """Sends large files to one repository.

    Args:
        content: the repository.
        told: gets the number of bytes that were sent, again and again; negative where they must be sent once more.
    """

    def __init__(self, content: HubContent, told: Callable[[int], None] = lambda _: None) -> None:
        self._content = content
        self._told = told
        self._stop = threading.Event()

    def send(self, files: Sequence[LargeContent]) -> int:
        """Bring files to the repository's LFS; return how many of them it did not have yet.

        Raises:
            HubError: one of them could not be sent. Those that arrived need not be sent again.
            ReposError: one of them changed meanwhile, or cannot be read.
        """
        sent = 0
        wanted = list({file.sha256: file for file in files}.values())
        for at in range(0, len(wanted), _GROUP):
            group = wanted[at : at + _GROUP]
            links = self._links(group)
            missing = [(file, links[file.sha256]) for file in group if links[file.sha256]]
            try:
                self._together(missing)
            except BaseException:
                self._stop.set()
                raise
            sent += len(missing)
        return sent

    def _together(self, files: Sequence[tuple[LargeContent, Mapping[str, Any]]]) -> None:
        """Send some files at once. A program that is stopped does not wait for them: a store may be silent."""
        waiting: SimpleQueue[tuple[LargeContent, Mapping[str, Any]]] = SimpleQueue()
        outcomes: SimpleQueue[BaseException | None] = SimpleQueue()
        for one in files:
            waiting.put(one)

        def work() -> None:
            with contextlib.suppress(Empty):
                while not self._stop.is_set():
                    file, actions = waiting.get_nowait()
                    try:
                        self._one(file, actions)
                    except BaseException as why:  # noqa: BLE001 - raised where it is waited for
                        outcomes.put(why)
                    else:
                        outcomes.put(None)

        for _ in range(min(_TOGETHER, len(files))):
            threading.Thread(target=work, daemon=True).start()
        for _ in files:
            why = outcomes.get()
            if why is not None:
                raise why

    def _one(self, file: LargeContent, actions: Mapping[str, Any]) -> None:
        """Send one file. A link that has ended meanwhile is replaced, once."""
        try:
            self._transfer(file, actions)
        except HubRefused as why:
            if why.status != _LINK_ENDED:
                raise
            fresh = self._links([file])[file.sha256]
            if fresh:
                self._transfer(file, fresh)

    def _transfer(self, file: LargeContent, actions: Mapping[str, Any]) -> None:
        from huggingface_hub.utils import fix_hf_endpoint_in_url

        upload, verify = actions["upload"], actions.get("verify")
        goal = fix_hf_endpoint_in_url(str(upload["href"]), endpoint=self._content.endpoint)
        header = {str(key): str(value) for key, value in (upload.get("header") or {}).items()}
        if "chunk_size" in header:
            self._in_parts(file, goal, header)
        else:
            self._put(file, goal, 0, file.size, header)
        if verify is not None:
            checked = fix_hf_endpoint_in_url(str(verify["href"]), endpoint=self._content.endpoint)
            ours = checked.startswith(f"{self._content.endpoint}/")
            self._say(file, checked, {"oid": file.sha256, "size": file.size}, self._content.token() if ours else None)

    def _in_parts(self, file: LargeContent, goal: str, header: Mapping[str, str]) -> None:
        """Send a file in the parts that the Hub wants, then let it put them together."""
        links = [url for _, url in sorted((int(key), url) for key, url in header.items() if key.isdecimal())]
        size = int(header["chunk_size"]) if header["chunk_size"].isdecimal() else 0
        if size < 1 or len(links) != -(-file.size // size):
            raise HubUnreachable(Cause.SERVER, f"The Hub's answer about the parts of {file.name} makes no sense.")
        parts = []
        for number, url in enumerate(links):
            start = number * size
            tag = self._put(file, url, start, min(size, file.size - start), {})
            if not tag:
                raise HubUnreachable(Cause.SERVER, f"The store does not name part {number + 1} of {file.name}.")
            parts.append({"partNumber": number + 1, "etag": tag})
        self._say(file, goal, {"oid": file.sha256, "parts": parts}, None)

    def _put(self, file: LargeContent, url: str, start: int, length: int, header: Mapping[str, str]) -> str:
        """Send a stretch of a file, again where the trouble may pass; return the store's name for it."""

        def attempt() -> str:
            sent = 0

            def pieces() -> Iterator[bytes]:
                nonlocal sent
                for piece in file.pieces(start, length):
                    if self._stop.is_set():
                        raise _Interrupted(f"{file.name} was not sent to its end.")
                    yield piece
                    sent += len(piece)
                    self._told(len(piece))

            try:
                answer = send("PUT", url, Body(pieces, length), about=file.name, headers=header)
            except BaseException:
                if not self._stop.is_set():
                    self._told(-sent)
                raise
            return str(answer.headers.get("ETag", ""))

        return self._patiently(attempt)

    def _say(self, file: LargeContent, url: str, said: Mapping[str, object], token: str | None) -> None:
        """Tell the Hub something about a file."""
        self._patiently(lambda: _post(url, said, file.name, token))

    def _links(self, files: Sequence[LargeContent]) -> dict[str, dict[str, Any]]:
        """Ask where files go: for each SHA-256 the actions, none of them where the Hub has it already."""
        url = f"{self._content.endpoint}/{self._content.repo.resource}.git/info/lfs/objects/batch"
        asked = {
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": [{"oid": file.sha256, "size": file.size} for file in files],
            "hash_algo": "sha256",
        }
        about = f"large files of the {self._content.repo}"
        answer = self._patiently(lambda: _post(url, asked, about, self._content.token()))
        rows = answer.get("objects")
        found = {str(row.get("oid")): row for row in rows if isinstance(row, dict)} if isinstance(rows, list) else {}
        return {file.sha256: _actions(file, found.get(file.sha256)) for file in files}

    def _patiently(self, work: Callable[[], _T]) -> _T:
        """Do it again where the trouble may pass by itself."""
        pause = _PAUSE
        for left in range(_TRIES - 1, -1, -1):
            try:
                return work()
            except HubError as why:
                if why.cause not in _PASSING or not left:
                    raise
                if self._stop.wait(pause):
                    raise
                pause *= 2
        raise AssertionError  # the last try returns or raises


def _actions(file: LargeContent, row: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the Hub wants done about a file; nothing where it has it already.

    Raises:
        HubError: it does not take it, or says nothing that makes sense.
    """
    if row is not None and isinstance(row.get("error"), dict):
        words = " ".join(str(row["error"].get("message", "")).split())[:300]
        raise HubRefused(Cause.INVALID, f"The Hub's LFS does not take {file.name}: {words}.")
    actions = row.get("actions") or {} if row is not None else None
    parts = [actions.get("upload", {}), actions.get("verify", {"href": ""})] if isinstance(actions, dict) else []
    if not isinstance(actions, dict) or (actions and not all(_is_link(part) for part in parts)):
        raise HubUnreachable(Cause.SERVER, f"The Hub's LFS does not say where {file.name} goes.")
    return actions


def _is_link(part: object) -> bool:
    return isinstance(part, dict) and isinstance(part.get("href"), str) and isinstance(part.get("header") or {}, dict)


def _post(url: str, said: Mapping[str, object], about: str, token: str | None) -> dict[str, Any]:
    """Send JSON as LFS wants it, and return the object that is answered, an empty one where it is none."""
    text = json.dumps(said).encode()
    answer = send(
        "POST", url, Body(lambda: iter((text,)), len(text), _LFS), about=about, token=token, headers={"Accept": _LFS}
    )
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        found = {}
    return found if isinstance(found, dict) else {}
