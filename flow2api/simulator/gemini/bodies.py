"""The bodies of calls. An unknown field is refused, so that a client notices its mistakes here."""

from msgspec import Struct, field


class Inline(Struct, rename="camel", forbid_unknown_fields=True):
    """A picture that comes along."""

    mime_type: str
    data: str


class Part(Struct, rename="camel", forbid_unknown_fields=True):
    """One piece of a turn."""

    text: str | None = None
    inline_data: Inline | None = None


class Content(Struct, forbid_unknown_fields=True):
    """One turn."""

    parts: list[Part]
    role: str = "user"


class ImageConfig(Struct, rename="camel", forbid_unknown_fields=True):
    """The shape of a picture."""

    aspect_ratio: str = "1:1"
    image_size: str = "1K"


class GenerationConfig(Struct, rename="camel", forbid_unknown_fields=True):
    """How to answer."""

    response_modalities: list[str] = []
    image_config: ImageConfig = field(default_factory=ImageConfig)
    seed: int | None = None
    candidate_count: int = 1


class GenerateContent(Struct, rename="camel", forbid_unknown_fields=True):
    """``generateContent``."""

    contents: list[Content]
    generation_config: GenerationConfig = field(default_factory=GenerationConfig)


class PredictInstance(Struct, forbid_unknown_fields=True):
    """What an Imagen picture shows."""

    prompt: str


class PredictParameters(Struct, rename="camel", forbid_unknown_fields=True):
    """How Imagen makes it."""

    sample_count: int = 1
    aspect_ratio: str = "1:1"
    sample_image_size: str = "1K"
    include_rai_reason: bool = False
    seed: int | None = None


class Predict(Struct, forbid_unknown_fields=True):
    """``predict``."""

    instances: list[PredictInstance]
    parameters: PredictParameters = field(default_factory=PredictParameters)


class VideoImage(Struct, rename="camel", forbid_unknown_fields=True):
    """A picture that a video is made from."""

    bytes_base64_encoded: str
    mime_type: str


class ReferenceImage(Struct, rename="camel", forbid_unknown_fields=True):
    """A picture whose content appears in a video."""

    image: VideoImage
    reference_type: str = "ASSET"


class VideoFile(Struct, forbid_unknown_fields=True):
    """A video that was made before."""

    uri: str


class VideoInstance(Struct, rename="camel", forbid_unknown_fields=True):
    """What a video shows."""

    prompt: str
    image: VideoImage | None = None
    last_frame: VideoImage | None = None
    video: VideoFile | None = None
    reference_images: list[ReferenceImage] = []


class VideoParameters(Struct, rename="camel", forbid_unknown_fields=True):
    """How Veo makes it."""

    aspect_ratio: str = "16:9"
    duration_seconds: int = 8
    resolution: str = "720p"
    seed: int | None = None


class PredictLongRunning(Struct, forbid_unknown_fields=True):
    """``predictLongRunning``."""

    instances: list[VideoInstance]
    parameters: VideoParameters = field(default_factory=VideoParameters)


class Block(Struct, forbid_unknown_fields=True):
    """One piece of the input of an interaction."""

    type: str
    text: str | None = None
    data: str | None = None
    mime_type: str | None = None


class ResponseFormat(Struct, forbid_unknown_fields=True):
    """What an interaction shall bring."""

    type: str
    aspect_ratio: str = "16:9"
    resolution: str = "720p"
    duration: str = "8s"
    delivery: str = "inline"


class VideoConfig(Struct, forbid_unknown_fields=True):
    """What kind of video."""

    task: str = "text_to_video"


class InteractionConfig(Struct, forbid_unknown_fields=True):
    """How to generate."""

    video_config: VideoConfig = field(default_factory=VideoConfig)
    seed: int | None = None


class CreateInteraction(Struct, forbid_unknown_fields=True):
    """``interactions``."""

    model: str
    input: str | list[Block]
    response_format: ResponseFormat
    background: bool = False
    store: bool = True
    stream: bool = False
    previous_interaction_id: str | None = None
    generation_config: InteractionConfig = field(default_factory=InteractionConfig)
