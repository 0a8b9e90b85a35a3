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
from typing import Protocol, TypeVar

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.hub import answers
from openllm_repos.hub.content import HubContent
from openllm_repos.hub.failures import Cause, HubRefused, HubUnreachable, declined
from openllm_repos.hub.links import Declined, Link, Upload
from openllm_repos.hub.session import host_of_url, reading, send
from openllm_repos.hub.wire import Answer, Body

_TOGETHER = 4  # files on their way at once
_GROUP = 100  # files whose links are asked for at once, just before they are used: links end
_LFS = "application/vnd.git-lfs+json"
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
            missing = [(file, upload) for file in group if (upload := links[file.sha256]) is not None]
            try:
                self._together(missing)
            except BaseException:
                self._stop.set()
                raise
            sent += len(missing)
        return sent

    def _together(self, files: Sequence[tuple[LargeContent, Upload]]) -> None:
        """Send some files at once. A program that is stopped does not wait for them: a store may be silent."""
        waiting: SimpleQueue[tuple[LargeContent, Upload]] = SimpleQueue()
        outcomes: SimpleQueue[BaseException | None] = SimpleQueue()
        for one in files:
            waiting.put(one)

        def work() -> None:
            with contextlib.suppress(Empty):
                while not self._stop.is_set():
                    file, upload = waiting.get_nowait()
                    try:
                        self._one(file, upload)
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

    def _one(self, file: LargeContent, upload: Upload) -> None:
        """Send one file. A link that has ended meanwhile is replaced, once."""
        try:
            self._transfer(file, upload)
        except HubRefused as why:
            if why.status != _LINK_ENDED:
                raise
            fresh = self._links([file])[file.sha256]
            if fresh is not None:
                self._transfer(file, fresh)

    def _transfer(self, file: LargeContent, upload: Upload) -> None:
        link = upload.link
        if link.part_size:
            self._in_parts(file, link)
        else:
            self._put(file, link.href, 0, file.size, link.headers)
        if upload.verify is not None:
            ours = upload.verify.href.startswith(f"{self._content.endpoint}/")
            said = {"oid": file.sha256, "size": file.size}
            self._say(file, upload.verify, said, self._content.token() if ours else None)

    def _in_parts(self, file: LargeContent, link: Link) -> None:
        """Send a file in the parts that the Hub wants, then let it put them together."""
        parts = []
        for number, url in enumerate(link.parts):
            start = number * link.part_size
            tag = self._put(file, url, start, min(link.part_size, file.size - start), {})
            if not tag:
                raise HubUnreachable(Cause.SERVER, f"The store does not name part {number + 1} of {file.name}.")
            parts.append({"partNumber": number + 1, "etag": tag})
        self._say(file, link, {"oid": file.sha256, "parts": parts}, None)

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
            return answer.headers.get("etag", "")

        return self._again(url, attempt)

    def _say(self, file: LargeContent, link: Link, said: Mapping[str, object], token: str | None) -> None:
        """Tell the Hub something about a file."""
        self._again(link.href, lambda: _post(link.href, said, file.name, token, link.headers))

    def _links(self, files: Sequence[LargeContent]) -> dict[str, Upload | None]:
        """Ask where files go: for each SHA-256 the links, None where the Hub has it already."""
        endpoint = self._content.endpoint
        url = f"{endpoint}/{self._content.repo.resource}.git/info/lfs/objects/batch"
        asked = {
            "operation": "upload",
            "transfers": ["basic", "multipart"],
            "objects": [{"oid": file.sha256, "size": file.size} for file in files],
            "hash_algo": "sha256",
        }
        about = f"large files of the {self._content.repo}"
        answer = self._again(url, lambda: _post(url, asked, about, self._content.token()))
        with reading(url, about):
            found = answers.uploads(answer.json(), {file.sha256: file.size for file in files}, endpoint)
        ready: dict[str, Upload | None] = {}
        for file in files:
            upload = found[file.sha256]
            if isinstance(upload, Declined):
                raise declined(upload, file.name)
            ready[file.sha256] = upload
        return ready

    def _again(self, url: str, work: Callable[[], _T]) -> _T:
        """Do it again where the trouble may pass by itself: content that has arrived is not stored twice."""

        def attempt() -> _T:
            if self._stop.is_set():
                raise _Interrupted("Another file failed.")
            return work()

        return self._content.retry.run(host_of_url(url), attempt)


def _post(
    url: str, said: Mapping[str, object], about: str, token: str | None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send JSON as LFS wants it, and return the answer."""
    text = json.dumps(said).encode()
    body = Body(lambda: iter((text,)), len(text), _LFS)
    return send("POST", url, body, about=about, token=token, headers={**(headers or {}), "Accept": _LFS})
