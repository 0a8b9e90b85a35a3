"""A wire with a meter: everything between a client and a server on this machine, counted byte by byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_BLOCK = 1 << 16


class Counted:
    """Listens on a port of its own and passes all that comes on to a server, and back.

    Args:
        url: the server, ``http://127.0.0.1:PORT``.
    """

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._server = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._counting = threading.Lock()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.received = 0
        self.sent = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()

    def reset(self) -> None:
        """Begin to count anew."""
        with self._counting:
            self.received = self.sent = 0

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket, back: bool) -> None:
        with contextlib.suppress(OSError), source:
            while block := source.recv(_BLOCK):
                with self._counting:
                    self.received += len(block) if back else 0
                    self.sent += 0 if back else len(block)
                to.sendall(block)
            to.shutdown(socket.SHUT_WR)
