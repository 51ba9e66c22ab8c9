"""A port for a server that a test starts in a moment, as another program."""

from __future__ import annotations

import random
import socket

FIRST, END = 20_000, 30_000
"""Below what systems give to connections (Linux from 32,768 up): nobody's connection takes it meanwhile."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free and that no other test is given while this process lives.

    The UDP port of that number is held as the mark of it; it is in nobody's way. `random` itself would not do: every
    worker of a run begins it with the same number.
    """
    chosen = random.SystemRandom()
    while True:
        port = chosen.randrange(FIRST, END)
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            mark.close()
            continue
        mark.detach()
        return port
