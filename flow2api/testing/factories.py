"""Domain objects filled in by chance, always the same chance."""

from datetime import timedelta

from polyfactory.factories import DataclassFactory

from flow2api.domain.account import Account, Capacity, Tier
from flow2api.domain.catalog import LANDSCAPE, Mode, ModelSpec, Size
from flow2api.domain.generation import Generation, Stage, State
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.testing.fakes.clock import START

SEED = 20261123


class AccountFactory(DataclassFactory[Account]):
    """Warm, healthy accounts without a limit."""

    __random_seed__ = SEED
    __set_as_default_factory_for_type__ = False

    upstream = "flow"
    created_at = START
    tier = Tier.PRO
    credits = 1000
    capacity = Capacity()
    tags = frozenset[str]()
    weight = 1
    priority = 0
    proxy = None
    base_url = None
    workspace = "workspace"
    access_expires_at = START + timedelta(hours=24)
    access_obtained_at = START
    rests = ()
    streaks = ()


class GenerationFactory(DataclassFactory[Generation]):
    """Generations that wait for their slot."""

    __random_seed__ = SEED
    __set_as_default_factory_for_type__ = False

    key_id = 1
    kind = MediaKind.VIDEO
    created_at = START
    state = State.QUEUED
    phase = None
    stage = Stage.MAKE
    inputs = ()
    passages = ()
    failed_attempts = ()
    count = 1
    seed = None
    warnings = ()
    progress = 0
    account_id = None
    operation = None
    made = None
    results = ()
    fault = None
    started_at = None
    ended_at = None
    expires_at = None
    deleted_at = None
    owner = None
    lease_until = None
    fence = 0
    rescues = 0
    attempts = 0


class MediaFactory(DataclassFactory[Media]):
    """Kept pictures that somebody has sent."""

    __random_seed__ = SEED
    __set_as_default_factory_for_type__ = False

    key_id = 1
    kind = MediaKind.IMAGE
    role = MediaRole.INPUT
    content_type = "image/png"
    created_at = START
    expires_at = None
    generation_id = None
    parent_id = None
    account_id = None
    workspace = None
    upstream_name = None
    upstream_extra = None


def picture_spec(name: str = "paint", **changes: object) -> ModelSpec:
    """A picture model that costs nothing."""
    return _spec(name, MediaKind.IMAGE, {"size": Size(1376, 768), "max_images": 3, **changes})


def video_spec(name: str = "film", **changes: object) -> ModelSpec:
    """A video model that costs 20 credits."""
    return _spec(name, MediaKind.VIDEO, {"size": Size(1280, 720), "seconds": 8, "costs": {Tier.FREE: 20}, **changes})


def enlarging_spec(kind: MediaKind, name: str = "", **changes: object) -> ModelSpec:
    """A model that enlarges what the picture or video models have made: pictures at no cost, videos for 50 credits."""
    fields: dict[str, object] = {"size": Size(2752, 1536), "resolution": "2k"}
    if kind is MediaKind.VIDEO:
        fields = {"size": Size(1920, 1080), "resolution": "1080p", "costs": {Tier.FREE: 50}}
    return _spec(name or f"larger-{kind}", kind, {"mode": Mode.ENLARGE, **fields, **changes})


def _spec(name: str, kind: MediaKind, fields: dict[str, object]) -> ModelSpec:
    basis = {"upstream": "flow", "mode": Mode.TEXT, "line": name, "aspect_ratio": LANDSCAPE}
    return ModelSpec(name=name, kind=kind, **{**basis, **fields})  # type: ignore[arg-type]
