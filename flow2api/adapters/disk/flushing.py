"""Bringing a whole file system to its disk."""

import ctypes
import os
from collections.abc import Callable


def _syncfs() -> Callable[[int], int] | None:
    """The system call that Python does not offer; None where there is none (it is Linux's)."""
    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return None
    call.argtypes, call.restype = (ctypes.c_int,), ctypes.c_int
    return call


_CALL = _syncfs()


def flush_file_system(descriptor: int) -> None:
    """Write everything that waits in memory for the file system of an open file; it blocks until that is done.

    Raises:
        OSError: Something could not be written.
    """
    if _CALL is None:
        os.sync()
    elif _CALL(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
