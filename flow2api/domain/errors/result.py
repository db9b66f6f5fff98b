"""What was made, or was to be made, cannot be given out."""

from flow2api.domain.errors.base import Flow2ApiError


class MediaError(Flow2ApiError):
    """A picture or video of ours cannot be given out."""

    code = "media_error"


class MediaNotFoundError(MediaError):
    """No such media, or it belongs to another key."""

    code = "not_found"


class MediaGoneError(MediaError):
    """The media was kept once, and its retention is over or its bytes are damaged."""

    code = "media_gone"


class GenerationFailedError(Flow2ApiError):
    """A generation that ended without a result, told to somebody who came later.

    Attributes:
        code: The code under which it failed.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
