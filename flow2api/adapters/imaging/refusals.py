"""What is said of pictures that are not accepted, with OpenAI's codes for them (Responses API, 2026-08)."""

from flow2api.adapters.imaging.limits import PictureLimits


class PictureRefusedError(Exception):
    """The picture itself is to blame. It stays within this package; the port speaks of ``UnsupportedInputError``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def damaged() -> PictureRefusedError:
    """The bytes begin like a picture and don't go on like one."""
    return PictureRefusedError(
        "image_parse_error", "The picture is damaged or cut off; save it anew and send it whole."
    )


def too_demanding() -> PictureRefusedError:
    """Decoding it hit the limit of memory or time, or brought the decoder down."""
    return PictureRefusedError(
        "image_parse_error", "The picture takes too much memory or time to decode; save it anew, smaller or simpler."
    )


def check_size(width: int, height: int, limits: PictureLimits) -> None:
    """Refuse a picture for its width and height.

    Raises:
        PictureRefusedError: ``image_too_large`` or ``image_too_small``.
    """
    if max(width, height) > limits.max_side_px or width * height > limits.max_pixels:
        raise PictureRefusedError(
            "image_too_large",
            f"The picture has {width} x {height} pixels; at most {limits.max_pixels // 1_000_000} megapixels and "
            f"{limits.max_side_px:,} a side are accepted.",
        )
    if min(width, height) < limits.min_side_px:
        raise PictureRefusedError(
            "image_too_small",
            f"The picture has {width} x {height} pixels; each side needs at least {limits.min_side_px}.",
        )


def check_frames(frames: int) -> None:
    """Refuse an animated picture.

    Raises:
        PictureRefusedError: ``invalid_image``.
    """
    if frames > 1:
        raise PictureRefusedError("invalid_image", "The picture is animated; send a still picture.")
