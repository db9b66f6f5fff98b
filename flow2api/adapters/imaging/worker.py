"""The worker process: takes one job after another from its standard input until that is closed.

It is started without the server's environment, so that what breaks out of a decoder finds no secret in it.
"""

import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from typing import IO, BinaryIO

from flow2api.adapters.imaging import decoding
from flow2api.adapters.imaging.refusals import PictureRefusedError, damaged, too_demanding
from flow2api.adapters.imaging.wire import (
    CHUNK_BYTES,
    MAX_RESULT_BYTES,
    Answer,
    Convert,
    Facts,
    Inspect,
    Job,
    Made,
    Preview,
    Refused,
    Spritesheet,
    Task,
    Thumbnail,
    decode_job,
    encode,
    frame_length,
)

READY = b"ready"
_IN_MEMORY_BYTES = 16 * 1024 * 1024


def serve(requests: BinaryIO, answers: BinaryIO, scratch: str | None = None) -> None:
    """Do jobs until the input ends.

    Args:
        scratch: Folder for videos too large for memory; None takes the system's.
    """
    write_frame(answers, READY)
    answers.flush()
    while (request := read_frame(requests)) is not None:
        job = decode_job(request)
        signal.setitimer(signal.ITIMER_REAL, job.time_limit_s)
        answer, made = answer_to(job, read_input(requests), scratch)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(answers, encode(answer))
        write_frame(answers, made)
        answers.flush()


def answer_to(job: Job, chunks: Iterator[bytes], scratch: str | None) -> tuple[Answer, bytes]:
    """Do one job; whatever goes wrong with the input becomes an answer."""
    result: Answer | bytes
    try:
        result = _carry_out(job.task, chunks, scratch)
    except PictureRefusedError as refused:
        result = Refused(refused.code, refused.message)
    except MemoryError:
        result = _refused(too_demanding())
    except Exception:  # noqa: BLE001 - decoders and encoders fail on hostile input in ways that nobody lists
        result = _refused(damaged())
    for _ in chunks:
        pass  # The next job begins after the input of this one, whatever became of it.
    if isinstance(result, bytes):
        return (Made(), result) if len(result) <= MAX_RESULT_BYTES else (_refused(too_demanding()), b"")
    return result, b""


def _carry_out(task: Task, chunks: Iterator[bytes], scratch: str | None) -> Facts | bytes:
    match task:
        case Inspect(limits):
            return decoding.inspect(gathered(chunks, limits.max_bytes), limits)
        case Convert(limits, content_type, quality):
            return decoding.convert(gathered(chunks, limits.max_bytes), limits, content_type, quality)
        case Preview(limits, max_side_px, max_bytes):
            return decoding.preview(gathered(chunks, limits.max_bytes), limits, max_side_px, max_bytes)
        case Thumbnail() | Spritesheet():
            return _still(task, chunks, scratch)


def _still(task: Thumbnail | Spritesheet, chunks: Iterator[bytes], scratch: str | None) -> bytes:
    from flow2api.adapters.imaging import video_frames  # noqa: PLC0415 - FFmpeg is loaded when a video comes

    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=scratch) as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        if isinstance(task, Thumbnail):
            return video_frames.thumbnail(file, task.max_side_px)
        return video_frames.spritesheet(file, task.columns, task.rows, task.tile_width_px)


def gathered(chunks: Iterator[bytes], max_bytes: int) -> bytes:
    """All chunks as one.

    Raises:
        PictureRefusedError: They are more than that.
    """
    whole = bytearray()
    for chunk in chunks:
        whole += chunk
        if len(whole) > max_bytes:
            raise PictureRefusedError("image_too_large", f"The picture has more than {max_bytes:,} bytes.")
    return bytes(whole)


def read_input(stream: BinaryIO) -> Iterator[bytes]:
    """The frames of input that belong to one job."""
    while chunk := read_frame(stream):
        yield chunk
    if chunk is None:
        raise SystemExit(0)  # The server is gone.


def read_frame(stream: BinaryIO) -> bytes | None:
    """One frame; None when the stream ends."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head, "big")
    if length > CHUNK_BYTES:
        raise SystemExit("A frame is longer than agreed.")
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: IO[bytes], body: bytes) -> None:
    """One frame."""
    stream.write(frame_length(len(body)))
    stream.write(body)


def _refused(error: PictureRefusedError) -> Refused:
    return Refused(error.code, error.message)


def confine(address_space_bytes: int, file_bytes: int) -> None:
    """Take from this process what decoding does not need, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.nice(5)


def main(arguments: list[str]) -> None:
    """Run the process: ``address_space_bytes file_bytes [scratch]``."""
    confine(int(arguments[0]), int(arguments[1]))
    # What a library prints must not get between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        serve(sys.stdin.buffer, answers, arguments[2] if len(arguments) > 2 else None)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
