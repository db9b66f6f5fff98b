"""Request bodies of every wire era in one set of structs; a field that no era knows is an error.

Field names and enums: Flow, 2025-11 (seed) to 2026-06.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

ImageRatio = Literal[
    "IMAGE_ASPECT_RATIO_LANDSCAPE",
    "IMAGE_ASPECT_RATIO_PORTRAIT",
    "IMAGE_ASPECT_RATIO_SQUARE",
    "IMAGE_ASPECT_RATIO_LANDSCAPE_FOUR_THREE",
    "IMAGE_ASPECT_RATIO_PORTRAIT_THREE_FOUR",
]
VideoRatio = Literal["VIDEO_ASPECT_RATIO_LANDSCAPE", "VIDEO_ASPECT_RATIO_PORTRAIT"]


class Body(Struct, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies."""


class RecaptchaContext(Body):  # noqa: D101 - the fields of the wire say it, here and below
    token: str = ""
    applicationType: str = ""


class ClientContext(Body):  # noqa: D101
    sessionId: str | None = None
    projectId: str | None = None
    tool: str | None = None
    userPaygateTier: str | None = None
    recaptchaToken: str | None = None
    recaptchaContext: RecaptchaContext | None = None


class GenerationContext(Body):  # noqa: D101
    batchId: str | None = None
    audioFailurePreference: str | None = None


class PromptPart(Body):  # noqa: D101
    text: str = ""


class StructuredPrompt(Body):  # noqa: D101
    parts: list[PromptPart]


class Metadata(Body):  # noqa: D101
    sceneId: str | None = None
    workflowId: str | None = None


class LegacyImageInput(Body):  # noqa: D101
    rawImageBytes: str
    mimeType: str = "image/jpeg"
    isUserUploaded: bool = True
    aspectRatio: ImageRatio | None = None


class LegacyUpload(Body):  # noqa: D101
    imageInput: LegacyImageInput
    clientContext: ClientContext = msgspec.field(default_factory=ClientContext)


class Upload(Body):  # noqa: D101
    imageBytes: str
    clientContext: ClientContext = msgspec.field(default_factory=ClientContext)
    fileName: str | None = None
    isHidden: bool = False
    isUserUploaded: bool = True
    mimeType: str | None = None


class ImageInput(Body):  # noqa: D101
    name: str
    imageInputType: Literal["IMAGE_INPUT_TYPE_REFERENCE", "IMAGE_INPUT_TYPE_BASE_IMAGE"] = "IMAGE_INPUT_TYPE_REFERENCE"


class ImageRequest(Body):  # noqa: D101
    imageModelName: str
    imageAspectRatio: ImageRatio
    clientContext: ClientContext = msgspec.field(default_factory=ClientContext)
    seed: int | None = None
    prompt: str | None = None
    structuredPrompt: StructuredPrompt | None = None
    imageInputs: list[ImageInput] = []


class GenerateImages(Body):  # noqa: D101
    requests: list[ImageRequest]
    clientContext: ClientContext | None = None
    mediaGenerationContext: GenerationContext | None = None
    useNewMedia: bool | None = None


class UpscaleImage(Body):  # noqa: D101
    mediaId: str
    targetResolution: Literal["UPSAMPLE_IMAGE_RESOLUTION_2K", "UPSAMPLE_IMAGE_RESOLUTION_4K"]
    clientContext: ClientContext = msgspec.field(default_factory=ClientContext)


class TextInput(Body):  # noqa: D101
    prompt: str | None = None
    structuredPrompt: StructuredPrompt | None = None


class Crop(Body):  # noqa: D101
    top: float = 0
    left: float = 0
    bottom: float = 1
    right: float = 1


class FrameImage(Body):  # noqa: D101
    mediaId: str
    cropCoordinates: Crop | None = None


class ReferenceImage(Body):  # noqa: D101
    mediaId: str
    imageUsageType: Literal["IMAGE_USAGE_TYPE_ASSET"] = "IMAGE_USAGE_TYPE_ASSET"


class VideoInput(Body):  # noqa: D101
    mediaId: str
    startFrameIndex: int | None = None
    endFrameIndex: int | None = None


class VideoRequest(Body):  # noqa: D101
    videoModelKey: str
    aspectRatio: VideoRatio
    seed: int | None = None
    textInput: TextInput | None = None
    metadata: Metadata | None = None
    referenceImages: list[ReferenceImage] = []
    startImage: FrameImage | None = None
    endImage: FrameImage | None = None
    videoInput: VideoInput | None = None
    resolution: Literal["VIDEO_RESOLUTION_1080P", "VIDEO_RESOLUTION_4K"] | None = None


class SubmitVideos(Body):  # noqa: D101
    clientContext: ClientContext
    requests: list[VideoRequest]
    mediaGenerationContext: GenerationContext | None = None
    useV2ModelConfig: bool | None = None


class OperationName(Struct):
    """Operations come back as they were handed out, with whatever they carried."""

    name: str


class PolledOperation(Struct):  # noqa: D101
    operation: OperationName


class PolledMedia(Struct):  # noqa: D101
    name: str


class PollVideos(Body):  # noqa: D101
    operations: list[PolledOperation] = []
    media: list[PolledMedia] = []


class ConcatInput(Body):  # noqa: D101
    mediaGenerationId: str
    lengthNanos: int = 0
    startTimeOffset: str = "0s"
    endTimeOffset: str = "8s"


class Concatenate(Body):  # noqa: D101
    inputVideos: list[ConcatInput]


class PollConcatenation(Body):  # noqa: D101
    operation: PolledOperation


class DeleteAssets(Body):  # noqa: D101
    names: list[str] = []


class CancelGeneration(Body):  # noqa: D101
    names: list[str] = []
    clientContext: ClientContext | None = None


class Trpc(Body):
    """The labs base wraps every body."""

    json: dict[str, Any]


def prompt_text(plain: str | None, structured: StructuredPrompt | None) -> str:
    """The prompt of either form."""
    if structured is not None:
        return " ".join(part.text for part in structured.parts)
    return plain or ""
