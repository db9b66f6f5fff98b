"""What a process that serves many asks of Python and of the operating system."""

import contextlib
import ctypes
import gc
import os
import resource
from collections.abc import Iterator

COLLECT_AFTER = 5_000
MOST_FILES = 65_536
"""More than one process can make use of; where no limit is set it is a billion, which some programs count through."""

MOST_ARENAS = 2
_M_ARENA_MAX = -8


def share_arenas() -> bool:
    """Have all threads take memory from two stores of the C library instead of one each, which keep what they held once.

    To be called before there are threads. What the environment says about them holds instead.

    Returns:
        Whether the C library took it; others than the GNU one know no such stores.
    """
    if "MALLOC_ARENA_MAX" in os.environ or "arena_max" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, MOST_ARENAS))
    except (AttributeError, OSError, TypeError):
        return False


def raise_file_limit() -> None:
    """Let the process hold as many connections and files as it may, within reason; the usual limit is 1,024."""
    held, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = reachable_file_limit()
    if held == resource.RLIM_INFINITY or held >= wanted:
        return
    with contextlib.suppress(ValueError, OSError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def reachable_file_limit() -> int:
    """How many connections and files a server that is started here can hold at once."""
    held, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    within_reason = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    return max(held, within_reason)


@contextlib.contextmanager
def building_up() -> Iterator[None]:
    """A time in which nothing is garbage: modules are loaded, or objects made that stay.

    The collector rests meanwhile. It would look for garbage in vain, which takes a tenth of the time to start.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def calm_collector() -> None:
    """Spare the garbage collector what is there now, and let it look at new objects less often.

    To be called when the program is loaded and again when its data is: each pass would else go through all of it, ten
    thousand accounts say, and hold every request up meanwhile.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
