"""What a process and its children cost, read from /proc (Linux)."""

import os
from collections import defaultdict
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """The process and everything that descends from it, as far as it is alive."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields is not None:
                children[int(fields[1])].append(int(entry.name))
    found = [pid]
    for one in found:
        found += children[one]
    return found


def cpu_ms(pid: int) -> float:
    """CPU milliseconds that the process, its threads and its children (living or ended) have used so far."""
    ticks = 0
    for one in family(pid):
        fields = _stat(one)
        if fields is not None:
            ticks += sum(int(each) for each in fields[11:15])
    return ticks * 1000 / _TICKS_PER_S


def memory_kb(pid: int) -> int:
    """Resident memory of the process and its children; pages that they share count once for each."""
    return sum(_resident_kb(one) for one in family(pid))


def own_memory_kb(pid: int) -> int:
    """Resident memory of the process alone."""
    return _resident_kb(pid)


def peak_memory_kb(pid: int) -> int:
    """The most that the process alone has had in memory since the start or the last :func:`forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Count the peak anew from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def threads(pid: int) -> int:
    """Threads of the process alone."""
    return _status(pid, "Threads")


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _resident_kb(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES // 1024
    except OSError:
        return 0


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/{pid}/status tells no {name}")
