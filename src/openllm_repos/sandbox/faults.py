"""What goes wrong on request: refusals, slowness, cut connections, lost answers, and remotes that move in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(slots=True)
class Fault:
    """What happens to requests that match.

    Attributes:
        match: method and path, with ``*`` for anything: ``POST */commit/main``, ``* */git-receive-pack``,
            ``GET */info/refs[?]service=git-receive-pack``.
        status: answer this instead of doing anything; None lets the request through.
        message: what that answer says.
        code: the Hub's word for it (``GatedRepo``, ...).
        headers: of that answer.
        count: how many requests; None for all.
        skip: how many matching requests go by first.
        delay: seconds to wait before anything else is done.
        cut: drop the connection without doing anything.
        reset: reset the connection (RST) without doing anything.
        lose_answer: do what was asked, then drop the connection instead of answering.
        truncate: send this many bytes of the answer's body, then drop the connection.
        body: of that answer, in place of JSON that says `message`.
        huge: so many bytes of blanks come before its body.
        pace: seconds between any two bytes of the answer, from its first header on.
        before: called first: the place to move a remote between two calls.
    """

    match: str
    status: int | None = None
    message: str = "injected"
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    count: int | None = 1
    skip: int = 0
    delay: float = 0
    cut: bool = False
    reset: bool = False
    lose_answer: bool = False
    truncate: int | None = None
    body: bytes | str | None = None
    huge: int = 0
    pace: float = 0
    before: Callable[[], object] | None = None

    def hits(self, method: str, path: str, query: str) -> bool:
        """Return whether a request is meant."""
        asked = f"{method} {path}"
        return fnmatchcase(asked, self.match) or bool(query and fnmatchcase(f"{asked}?{query}", self.match))


class Faults:
    """The faults of one host, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Ask for a fault."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all faults that are still to come."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str, query: str) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        with self._lock:
            for fault in self._waiting:
                if not fault.hits(method, path, query):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._waiting.remove(fault)
                return fault
        return None
