"""Becomes another program, which ends at once when its parent has ended, however that came about (Linux).

Usage: python with_parent.py PARENT COMMAND...   where PARENT is the id of the process that it is to end with
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tied(command: list[str]) -> list[str]:
    """The same command, as a process that does not outlive this one, even when this one is killed."""
    return [sys.executable, "-IS", __file__, str(os.getpid()), *command]


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("The parent has ended before it could be watched.")


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
