"""How much work a piece of the program does, told by what it executes and not by how long that takes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import flow2api

PACKAGE = str(Path(flow2api.__file__).parent)


class Executed:
    """What was executed.

    Attributes:
        lines: Lines of the package; one that runs again counts again.
    """

    def __init__(self) -> None:
        self.lines = 0


@contextmanager
def executed_lines() -> Iterator[Executed]:
    """Count what this thread executes of the package until the block is left."""
    executed = Executed()

    def in_frame(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            executed.lines += 1
        return in_frame

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        return in_frame if frame.f_code.co_filename.startswith(PACKAGE) else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        yield executed
    finally:
        sys.settrace(before)
