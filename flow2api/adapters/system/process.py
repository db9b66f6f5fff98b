"""What a process that serves many asks of Python and of the operating system."""

import contextlib
import gc
import resource

COLLECT_AFTER = 5_000


def raise_file_limit() -> None:
    """Let the process hold as many connections and files as it may; the usual soft limit is 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems call the limit endless and take no such number
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def calm_collector() -> None:
    """Spare the garbage collector what is there now, and let it look at new objects less often.

    To be called when the program is loaded and again when its data is: each pass would else go through all of it, ten
    thousand accounts say, and hold every request up meanwhile.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
