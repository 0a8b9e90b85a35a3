"""One running git: its three pipes, moved by one loop so that neither side can wait for the other for ever.

Whoever writes to a process and reads from it must never block in a write while answers wait to be read: both pipes fill
up and nothing moves again. How much a pipe holds differs (64 KiB, one page, a megabyte) and is no bound to build on.
Here a write never blocks: what git does not take yet stays in memory and goes out whenever an answer is waited for.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import subprocess
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openllm_repos.git.progress import ProgressFilter
from openllm_repos.git.watch import Watch

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 16
_KEPT_OF_STDERR = 1 << 20


class Child:
    """A process that was started with a pipe on each standard stream that is ours.

    Args:
        process: as Popen made it; its pipes are used by nothing else.
        watch: raises where it stands still.
        progress: takes git's progress out of standard error.

    Attributes:
        finished: whether :meth:`wait` saw it end.
    """

    def __init__(self, process: subprocess.Popen[bytes], watch: Watch, progress: ProgressFilter | None = None) -> None:
        assert process.stdout is not None  # always a pipe
        self.process = process
        self._watch = watch
        self._progress = progress
        self._poll = select.poll()
        self._out = process.stdout.fileno()
        self._poll.register(self._out, select.POLLIN)
        self._err = -1 if process.stderr is None else process.stderr.fileno()
        if process.stderr is not None:
            self._poll.register(self._err, select.POLLIN)
        self._said: deque[bytes] = deque()
        self._said_bytes = 0
        self._pending: deque[memoryview] = deque()
        self._in = -1
        self._last = False
        self.finished = False
        if process.stdin is not None:
            self._in = process.stdin.fileno()
            os.set_blocking(self._in, False)

    def reader(self) -> io.BufferedReader:
        """Return its standard output, buffered; reading waits for it, and raises where it stands still."""
        return io.BufferedReader(_Output(self), _BLOCK)

    @property
    def stderr(self) -> bytes:
        """What it wrote to standard error so far: of a flood, the end."""
        if self._progress is not None and self._err == -1:
            self._keep(self._progress.close())
            self._progress = None
        return b"".join(self._said)

    def send(self, data: bytes, *, last: bool = False) -> None:
        """Send bytes to its standard input; never blocks. After the `last` ones it sees the end of the file."""
        self._last = last
        if not self._pending:
            self._poll.register(self._in, select.POLLOUT)
        self._pending.append(memoryview(data))
        self._write()

    def read(self) -> bytes:
        """Return the rest of its standard output, to the end."""
        return b"".join(self._blocks())

    def wait(self) -> int:
        """Return its exit code. What it still writes is thrown away, but for standard error."""
        for _ in self._blocks():
            pass
        with self._end_is_an_event() as event:
            while self.process.poll() is None:
                if event or self._err != -1:
                    self._turn()
                else:
                    self._sleep()
        # Something that it left running (a shared ssh connection) may hold standard error open: no end is waited for.
        while self._err != -1 and self._poll.poll(0):
            self._turn()
        self.finished = True
        return self.process.returncode

    def receive(self, buffer: WriteableBuffer) -> int:
        """Read what is there into a buffer, or wait for it; 0 at the end."""
        self._wait_for_output()
        count = os.readv(self._out, [buffer]) if self._out != -1 else 0
        if not count:
            self._end_of_output()
        return count

    def _blocks(self) -> Iterator[bytes]:
        while self._out != -1:
            self._wait_for_output()
            if block := os.read(self._out, _BLOCK):
                yield block
            else:
                self._end_of_output()

    def _wait_for_output(self) -> None:
        while self._out != -1 and not self._turn():
            pass

    def _end_of_output(self) -> None:
        if self._out != -1:
            self._poll.unregister(self._out)
            self._out = -1

    @contextlib.contextmanager
    def _end_is_an_event(self) -> Iterator[bool]:
        """Let the loop see the end of the process, where the system can do that (Linux); yield whether it can."""
        try:
            handle = os.pidfd_open(self.process.pid)
        except (AttributeError, OSError):
            yield False
            return
        self._poll.register(handle, select.POLLIN)
        try:
            yield True
        finally:
            self._poll.unregister(handle)
            os.close(handle)

    def _sleep(self) -> None:
        try:
            self.process.wait(self._watch.patience())
        except subprocess.TimeoutExpired:
            self._watch.tick()

    def _turn(self) -> bool:
        """Wait until something can move and move it; return whether standard output can be read."""
        events = self._poll.poll(self._watch.patience() * 1000)
        if not events:
            self._watch.tick()
            return False
        self._watch.moved()
        readable = False
        for fd, _ in events:
            if fd == self._out:
                readable = True
            elif fd == self._err:
                self._keep_stderr()
            elif fd == self._in:
                self._write()
        return readable

    def _write(self) -> None:
        """Send as much as fits now."""
        try:
            while self._pending:
                sent = os.write(self._in, self._pending[0])
                if sent < len(self._pending[0]):
                    self._pending[0] = self._pending[0][sent:]
                else:
                    self._pending.popleft()
        except BlockingIOError:
            return
        except BrokenPipeError:  # it ended; the missing answer will say so
            self._pending.clear()
        self._poll.unregister(self._in)
        if self._last and self.process.stdin is not None:
            self.process.stdin.close()
            self._in = -1  # the system gives the number to whatever is opened next

    def _keep_stderr(self) -> None:
        block = os.read(self._err, _BLOCK)
        if not block:
            self._poll.unregister(self._err)
            self._err = -1
            return
        self._keep(block if self._progress is None else self._progress.feed(block))

    def _keep(self, block: bytes) -> None:
        self._said.append(block)
        self._said_bytes += len(block)
        while self._said_bytes > _KEPT_OF_STDERR:
            self._said_bytes -= len(self._said.popleft())


class _Output(io.RawIOBase):
    """A child's standard output as a raw stream."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._child.receive(buffer)
