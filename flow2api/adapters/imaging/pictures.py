"""The port ``Pictures``, by Pillow in worker processes."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, NoReturn, cast, get_args

from flow2api.adapters.imaging.limits import PictureLimits
from flow2api.adapters.imaging.refusals import PictureRefusedError, check_size, too_demanding
from flow2api.adapters.imaging.wire import Answer, Convert, Facts, Inspect, PictureTask, PictureType, Preview, Refused
from flow2api.adapters.imaging.worker_process import WorkerDiedError
from flow2api.adapters.imaging.workers import Workers, WorkerTimeoutError
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import PictureFacts, sniff_content_type
from flow2api.domain.picture_size import picture_facts

_TIME_LIMIT_S = 10.0
_OWN = PictureLimits(max_bytes=64 * 1024 * 1024)
"""What the services make may be larger than what callers hand in."""
_OTHER_FORMATS = (b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"<svg", b"<?xml", b"\x00\x00\x01\x00", b"8BPS", b"\xff\x0a")
_OTHER_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")


class PillowPictures:
    """Reads and converts PNG, JPEG and WebP; what the first bytes already forbid never reaches a decoder.

    Args:
        workers: Where the decoding is done; closed by whoever made it.
        time_limit_s: For one picture, without the wait for a free worker.
    """

    def __init__(
        self, workers: Workers, limits: PictureLimits | None = None, *, time_limit_s: float = _TIME_LIMIT_S
    ) -> None:
        self._workers = workers
        self._limits = limits or PictureLimits()
        self._time_limit_s = time_limit_s

    @property
    def max_bytes(self) -> int:
        """How large a picture may be."""
        return self._limits.max_bytes

    async def inspect(self, data: bytes) -> PictureFacts:
        """The facts of a picture that was handed in, proved by decoding it; its size is that which a viewer shows.

        Raises:
            UnsupportedInputError: ``empty_image_file``, ``invalid_image_format``, ``unsupported_image_media_type``,
                ``image_too_large``, ``image_too_small``, ``invalid_image`` (animated) or ``image_parse_error``.
        """
        answer, _ = await self._done(Inspect(self._limits), data)
        if not isinstance(answer, Facts):
            _refuse(too_demanding())
        return PictureFacts(answer.content_type, answer.width, answer.height)

    async def convert(self, data: bytes, content_type: str, quality: int | None = None) -> bytes:
        """The same picture in another format, upright, in sRGB and without metadata; a JPEG shows white for what was
        transparent.

        Args:
            content_type: ``image/png``, ``image/jpeg`` or ``image/webp``.
            quality: 0 to 100 for JPEG and WebP; None for 92 and 90.

        Raises:
            UnsupportedInputError: As for :meth:`inspect`; ``invalid_value`` for another type or quality.
        """
        answer, made = await self._done(Convert(self._limits, _picture_type(content_type), _quality(quality)), data)
        if isinstance(answer, Facts) or not made:
            _refuse(too_demanding())
        return made

    async def preview(self, data: bytes, max_side_px: int, max_bytes: int) -> bytes:
        """The same picture small, as WebP, upright and in sRGB.

        Raises:
            UnsupportedInputError: As for :meth:`inspect`.
        """
        answer, made = await self._done(Preview(_OWN, max_side_px, max_bytes), data)
        if isinstance(answer, Facts) or not made:
            _refuse(too_demanding())
        return made

    async def _done(self, task: PictureTask, data: bytes) -> tuple[Answer, bytes]:
        async def chunks() -> AsyncIterator[bytes]:
            yield data

        try:
            self._glance(data, task.limits)
            answer, made = await self._workers.run(task, chunks, time_limit_s=self._time_limit_s)
        except PictureRefusedError as refused:
            _refuse(refused)
        except (WorkerDiedError, WorkerTimeoutError) as cause:
            _refuse(too_demanding(), cause)
        if isinstance(answer, Refused):
            _refuse(PictureRefusedError(answer.code, answer.message))
        return answer, made

    @staticmethod
    def _glance(data: bytes, limits: PictureLimits) -> None:
        """Refuse what needs no decoding to be refused."""
        if not data:
            raise PictureRefusedError("empty_image_file", "The picture is empty; send the bytes of a file.")
        if len(data) > limits.max_bytes:
            raise PictureRefusedError(
                "image_too_large", f"The picture has more than {limits.max_bytes:,} bytes; send a smaller one."
            )
        if sniff_content_type(data[:16]) not in get_args(PictureType):
            raise _foreign(data[:16])
        if (facts := picture_facts(data)) is not None:
            check_size(facts.width, facts.height, limits)


def _foreign(head: bytes) -> PictureRefusedError:
    if head.startswith(_OTHER_FORMATS) or (head[4:8] == b"ftyp" and head[8:12] in _OTHER_BRANDS):
        return PictureRefusedError(
            "unsupported_image_media_type", "Pictures of this format are not read; send PNG, JPEG or WebP."
        )
    return PictureRefusedError("invalid_image_format", "The file is not a picture; send PNG, JPEG or WebP.")


def _picture_type(content_type: str) -> PictureType:
    if content_type not in get_args(PictureType):
        raise UnsupportedInputError(f"Pictures are not written as {content_type[:64]!r}; choose PNG, JPEG or WebP.")
    return cast("PictureType", content_type)


def _quality(quality: int | None) -> int | None:
    if quality is not None and not 0 <= quality <= 100:
        raise UnsupportedInputError("The quality of a picture is a number from 0 to 100.")
    return quality


def _refuse(error: PictureRefusedError, cause: BaseException | None = None) -> NoReturn:
    raise UnsupportedInputError(error.message, code=error.code) from (cause or error)


if TYPE_CHECKING:
    from flow2api.domain.ports.media import Pictures

    _: Pictures = PillowPictures(Workers())
