"""Memory allocation of the C library, for a process that holds big messages for a short time."""

import ctypes

_M_MMAP_THRESHOLD = -3  # malloc.h of glibc
MAPPED_FROM = 1024 * 1024  # bytes; more than each read of a socket allocates


def map_big_blocks() -> None:
    """Give each big block a mapping of its own for the lifetime of the process.

    glibc starts with that, but raises the threshold up to 32 MiB once such a block is freed. From then on
    concurrent messages grow in one heap: they are copied repeatedly, leave holes too small for others, and
    the heap returns nothing; it took 1.6 times what limits.Memory had counted. A mapping grows without a
    copy and is returned when freed. Other C libraries lack this function, and musl does this anyway.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, MAPPED_FROM)
