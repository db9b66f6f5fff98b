"""Pillow's part of a worker process: untrusted bytes are decoded here and nowhere else."""

import warnings
from io import BytesIO

from PIL import ExifTags, Image, ImageCms, ImageOps

from flow2api.adapters.imaging.limits import PictureLimits
from flow2api.adapters.imaging.refusals import PictureRefusedError, check_frames, check_size, damaged
from flow2api.adapters.imaging.wire import Facts, PictureType
from flow2api.domain.media import sniff_content_type
from flow2api.domain.picture_size import turned

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_DEFAULT_QUALITY = {"image/jpeg": 92, "image/webp": 90}
_WHITE = (255, 255, 255)
_PREVIEW_QUALITIES = (75, 55, 35, 15)


def inspect(data: bytes, limits: PictureLimits) -> Facts:
    """Decode every pixel and tell what the picture is.

    Raises:
        PictureRefusedError: It is beyond the limits, animated or damaged.
    """
    with _opened(data, limits) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        width, height = turned(image.width, image.height, orientation)
        return Facts(_content_type(data), width, height)


def convert(data: bytes, limits: PictureLimits, content_type: PictureType, quality: int | None) -> bytes:
    """The picture in another format, upright, in sRGB, without metadata; transparency becomes white in a JPEG.

    Raises:
        PictureRefusedError: It is beyond the limits, animated or damaged.
    """
    with _opened(data, limits) as image:
        ImageOps.exif_transpose(image, in_place=True)
        plain = _in_srgb(image)
        if content_type == "image/jpeg":
            plain = _on_white(plain)
        plain.info.clear()
        return _encoded(plain, content_type, quality)


def preview(data: bytes, limits: PictureLimits, max_side_px: int, max_bytes: int) -> bytes:
    """The picture as WebP, no side longer than that, drawn worse and then smaller until it is small enough.

    Raises:
        PictureRefusedError: It is beyond the limits, animated or damaged.
    """
    with _opened(data, limits, draft_px=max_side_px) as image:
        ImageOps.exif_transpose(image, in_place=True)
        small = _in_srgb(image)
        small.thumbnail((max_side_px, max_side_px), reducing_gap=2.0)
        small.info.clear()
        for quality in _PREVIEW_QUALITIES:
            made = _encoded(small, "image/webp", quality)
            if len(made) <= max_bytes:
                return made
    while max(small.size) > 2:
        small = small.resize((max(1, small.width // 2), max(1, small.height // 2)))
        made = _encoded(small, "image/webp", _PREVIEW_QUALITIES[-1])
        if len(made) <= max_bytes:
            return made
    raise damaged()


def _encoded(image: Image.Image, content_type: PictureType, quality: int | None) -> bytes:
    made = BytesIO()
    if content_type == "image/png":
        image.save(made, "PNG", compress_level=4)
    else:
        image.save(made, _FORMATS[content_type], quality=_DEFAULT_QUALITY[content_type] if quality is None else quality)
    return made.getvalue()


def _content_type(data: bytes) -> str:
    content_type = sniff_content_type(data[:16])
    if content_type not in _FORMATS:
        raise damaged()
    return content_type


def _opened(data: bytes, limits: PictureLimits, draft_px: int = 0) -> Image.Image:
    """The decoded picture; the size is checked before anything of that size is made.

    Args:
        draft_px: A JPEG may be decoded smaller, but not below this; 0 wants it whole.
    """
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    content_type = _content_type(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=[_FORMATS[content_type]])
            check_size(image.width, image.height, limits)
            # A JPEG of several pictures (a phone's gain map, a stereo pair) is shown as its first by every viewer.
            if content_type != "image/jpeg":
                check_frames(getattr(image, "n_frames", 1))
            if draft_px:
                image.draft(None, (2 * draft_px, 2 * draft_px))
            image.load()
    except (PictureRefusedError, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as cause:
        raise PictureRefusedError("image_too_large", "The picture has too many pixels; send a smaller one.") from cause
    except Exception as cause:  # decoders fail on damaged files in a dozen ways
        raise damaged() from cause
    return image


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture as L, LA, RGB or RGBA with eight bits a channel, its colours moved from its own profile to sRGB."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if image.mode not in {"L", "LA", "RGB", "RGBA", "CMYK"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif "transparency" in image.info:
        image = image.convert("RGBA")
    if profile and image.mode in {"RGB", "RGBA", "CMYK"}:
        image = _from_profile(image, profile)
    return image.convert("RGB") if image.mode == "CMYK" else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16-bit greys with eight: the conversion alone would clip what is brighter than 255."""
    return image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")


def _from_profile(image: Image.Image, profile: bytes) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        moved = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # A broken profile is no reason to refuse the picture.
    return moved or image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode not in {"LA", "RGBA"}:
        return image
    ground = Image.new("RGB", image.size, _WHITE)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground
