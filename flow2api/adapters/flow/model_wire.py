"""What a model's ``wire`` says to this adapter: its keys upstream, by era, tier and what goes in."""

from typing import Literal

import msgspec

from flow2api.domain.account import Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.generation import InputRole, Order, Stage

VideoTask = Literal["text", "references", "start", "start_end", "enlarge", "extend"]
"""What a video is made from; each has a path of its own."""


class Enlargement(msgspec.Struct, frozen=True):
    """How a result is enlarged.

    Attributes:
        target: Upstream's word for the resolution.
        key: The model key that enlarges; pictures need none.
    """

    target: str
    key: str | None = None


class ModelWire(msgspec.Struct, frozen=True):
    """The wire of a model of Flow.

    Attributes:
        keys: The model key by era; the model is served in these eras only.
        aspect: Upstream's word for the aspect ratio.
        mode: Upstream's family of calls (``t2i``, ``t2v``, ``i2v``, ``r2v``, ``extend``, ``omni``, ``upsample``).
        key_by_tier: The key for accounts of a tier, by its name, where it differs (2026 eras).
        single_image_key: The key when there is a first frame and no last one (2026 eras).
        single_image_key_by_tier: The same for accounts of a tier, where it differs.
        reference_key: The key when there are reference pictures.
        v2_model_config: Whether calls carry ``useV2ModelConfig``.
    """

    keys: dict[str, str]
    aspect: str
    mode: str
    key_by_tier: dict[str, str] | None = None
    single_image_key: str | None = None
    single_image_key_by_tier: dict[str, str] | None = None
    reference_key: str | None = None
    v2_model_config: bool = False
    enlarge: Enlargement | None = None


def read_wire(spec: ModelSpec) -> ModelWire:
    """The wire of a model.

    Raises:
        ConfigurationError: Whoever registered the model got its wire wrong.
    """
    try:
        return msgspec.convert(spec.wire, ModelWire)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"The wire of the model {spec.name!r} cannot be read: {error}") from error


def video_task(order: Order, wire: ModelWire) -> VideoTask:
    """What the video of an order is made from."""
    if order.stage is Stage.ENLARGE:
        return "enlarge"
    if wire.mode == "extend":
        return "extend"
    roles = {role for role, _ in order.inputs}
    if InputRole.START in roles:
        return "start_end" if InputRole.END in roles else "start"
    return "references" if InputRole.REFERENCE in roles else "text"


def later_key(wire: ModelWire, era: str, task: VideoTask, tier: Tier) -> str:
    """The model key of a 2026 era."""
    if task == "enlarge" and wire.enlarge is not None and wire.enlarge.key is not None:
        return wire.enlarge.key
    if task == "references" and wire.reference_key is not None:
        return wire.reference_key
    key = (wire.key_by_tier or {}).get(tier.name, wire.keys[era])
    if task == "start":
        return (wire.single_image_key_by_tier or {}).get(tier.name) or wire.single_image_key or key
    return key
