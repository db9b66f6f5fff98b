"""The worker's side of the pipes."""

from io import BytesIO

import pytest

from flow2api.adapters.imaging import wire, worker
from flow2api.adapters.imaging.limits import PictureLimits
from flow2api.adapters.imaging.wire import Answer, Convert, Facts, Inspect, Job, Made, Refused, Spritesheet, Task
from tests.unit.adapters.imaging import samples

INSPECT = Inspect(PictureLimits())


def frame(body: bytes) -> bytes:
    return wire.frame_length(len(body)) + body


def job(task: Task, *chunks: bytes) -> bytes:
    return frame(wire.encode(Job(task, 60))) + b"".join(frame(chunk) for chunk in chunks) + frame(b"")


def served(requests: bytes) -> list[tuple[Answer, bytes]]:
    written = BytesIO()
    worker.serve(BytesIO(requests), written)
    frames = []
    written.seek(0)
    while head := written.read(4):
        frames.append(written.read(int.from_bytes(head, "big")))
    assert frames[0] == worker.READY
    return [(wire.decode_answer(answer), made) for answer, made in zip(frames[1::2], frames[2::2], strict=True)]


def test_answers_each_job_in_order() -> None:
    data = samples.plain("JPEG")
    answers = served(
        job(INSPECT, data[:100], data[100:])
        + job(Convert(PictureLimits(), "image/webp"), data)
        + job(INSPECT, b"no picture")
    )

    assert answers[0] == (Facts("image/jpeg", 40, 24), b"")
    assert (answers[1][0], answers[1][1][8:12]) == (Made(), b"WEBP")
    assert isinstance(answers[2][0], Refused)


def test_goes_on_after_input_that_it_did_not_read_to_the_end() -> None:
    small = Inspect(PictureLimits(max_bytes=10))

    answers = served(job(small, bytes(20), bytes(20), bytes(20)) + job(INSPECT, samples.plain()))

    assert answers == [
        (Refused("image_too_large", "The picture has more than 10 bytes."), b""),
        (Facts("image/png", 40, 24), b""),
    ]


def test_refuses_bytes_that_are_no_video() -> None:
    [(answer, made)] = served(job(Spritesheet(5, 5, 160), b"no video"))

    assert isinstance(answer, Refused)
    assert (answer.code, made) == ("media_gone", b"")


def test_hands_back_nothing_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MAX_RESULT_BYTES", 50)

    [(answer, made)] = served(job(Convert(PictureLimits(), "image/png"), samples.plain()))

    assert isinstance(answer, Refused)
    assert made == b""


def test_ends_when_the_server_is_gone_amid_a_job() -> None:
    with pytest.raises(SystemExit) as caught:
        served(job(INSPECT, samples.plain())[:-6])

    assert caught.value.code == 0


def test_ends_over_a_frame_that_is_longer_than_agreed() -> None:
    with pytest.raises(SystemExit, match="longer than agreed"):
        served(wire.frame_length(wire.CHUNK_BYTES + 1))
