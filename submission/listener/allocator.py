"""How the C library hands memory out, for a process that holds big messages for a short time."""

import ctypes

_M_MMAP_THRESHOLD = -3  # malloc.h of glibc
MAPPED_FROM = 1024 * 1024  # bytes; above what a read of a socket asks for each time


def map_big_blocks() -> None:
    """Give each big block a mapping of its own, for as long as the process lives.

    glibc begins like that, but raises the bound up to 32 MiB once such a block was freed. From then on
    messages that come in side by side grow within one heap: each is copied again and again, leaves holes
    that the others don't fit into, and the heap gives nothing back; it became 1.6 times what the account
    of memory (limits.Memory) said. A mapping grows without a copy, and is gone when it is freed. Other C
    libraries have no such function, and musl's does this anyway.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, MAPPED_FROM)
