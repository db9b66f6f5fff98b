"""Who may ask for what: the key, the model, the quotas of a day."""

import base64
import binascii
import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from flow2api.simulator.accounts import Account, Running
from flow2api.simulator.call import Call
from flow2api.simulator.errors import CallError
from flow2api.simulator.gemini.errors import (
    GeminiError,
    error_info,
    invalid_key,
    no_such_model,
    quota_failure,
    retry_info,
)
from flow2api.simulator.gemini.models import MODELS, Method, PlayedModel
from flow2api.simulator.ids import new_uuid
from flow2api.simulator.media import MediaItem
from flow2api.simulator.world import World

PER_DAY = "GenerateRequestsPerDayPerProjectPerModel"
CROWDED_S = 7.0
"""The pause that an account with too many calls at once is asked for."""


def key_account(call: Call) -> Account:
    """The account of the key.

    Raises:
        GeminiError: 403 without a key, 400 with one that opens nothing.
    """
    if call.api_key is None:
        raise GeminiError(403, "Method doesn't allow unregistered callers (callers without established identity).")
    account = call.account
    if account is None or account.knobs.signed_out or account.knobs.revoked != "no":
        raise invalid_key()
    return account


def generating_account(call: Call) -> Account:
    """The account of the key, if it may generate at all.

    Raises:
        GeminiError: The key is not good, or the account is refused.
    """
    account = key_account(call)
    if account.knobs.refused_reason:
        raise GeminiError(403, "", error_info(account.knobs.refused_reason))
    return account


def played_model(name: str, method: Method, version: str) -> PlayedModel:
    """What the model can be asked for.

    Raises:
        GeminiError: 404, there is none of this name, or another call makes its results.
    """
    model = MODELS.get(name)
    if model is None or model.method != method:
        raise no_such_model(name, version, method)
    return model


def check_shape(model: PlayedModel, ratio: str, size: str, seconds: int | None = None) -> None:
    """Refuse a shape that the model does not make.

    Raises:
        GeminiError: 400.
    """
    if ratio not in model.ratios:
        raise GeminiError(400, f"Invalid aspect ratio {ratio}. Supported are {', '.join(model.ratios)}.")
    if size not in model.sizes:
        raise GeminiError(400, f"Invalid resolution {size}. Supported are {', '.join(model.sizes)}.")
    if seconds is not None and seconds not in model.seconds:
        raise GeminiError(400, f"Invalid duration {seconds}. Supported are {model.seconds}.")
    if size in ("1080p", "4k") and seconds != max(model.seconds):
        raise GeminiError(400, f"The resolution {size} needs a duration of {max(model.seconds)} s.")


def take(world: World, account: Account, model: str) -> None:
    """Count one generation against the quotas of the day.

    Raises:
        GeminiError: 429, one of them is used up.
    """
    today = world.clock.today()
    if account.usage_day != today:
        account.usage_day, account.usage = today, {}
    knobs, used = account.knobs, account.usage
    limit = knobs.model_quota_per_day.get(model)
    if limit is not None and used.get(model, 0) >= limit:
        tier = "PaidTier" if limit else "FreeTier"
        raise _exhausted(quota_failure(f"{PER_DAY}-{tier}", limit, model))
    if knobs.quota_per_day is not None and used.get("", 0) >= knobs.quota_per_day:
        raise _exhausted(quota_failure("GenerateRequestsPerDayPerProject-PaidTier", knobs.quota_per_day))
    used[""] = used.get("", 0) + 1
    used[model] = used.get(model, 0) + 1
    world.record.submits += 1


def _exhausted(detail: dict[str, object]) -> GeminiError:
    return GeminiError(429, "You exceeded your current quota, please check your plan and billing details.", detail)


class _Place:
    """The place that a call holds; it is given up by the call itself."""

    def settle(self, now: float) -> bool:
        """Never ends by time."""
        return False


@contextmanager
def place(world: World, account: Account) -> Iterator[None]:
    """Hold one of the account's places while a call lasts.

    Raises:
        GeminiError: 429, there is none left.
    """
    name = new_uuid()
    crowd(world, account, {name: _Place()})
    try:
        yield
    finally:
        account.running.pop(name, None)


def crowd(world: World, account: Account, jobs: dict[str, Running]) -> None:
    """Let jobs take their places.

    Raises:
        GeminiError: 429, there are not enough left.
    """
    try:
        account.start(jobs, world.clock.now())
    except CallError as error:
        raise GeminiError(
            429,
            "Resource has been exhausted (e.g. check quota).",
            quota_failure("GenerateRequestsPerMinutePerProject-PaidTier", account.knobs.max_parallel_jobs or 0),
            retry_info(CROWDED_S),
        ) from error


def picture(account: Account, text: str, now: float) -> MediaItem:
    """An input picture that came along.

    Raises:
        GeminiError: 400, it is no base64 text or no picture.
    """
    try:
        content = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as opened:
            width, height = opened.size
            mime = opened.get_format_mimetype() or "image/jpeg"
    except (binascii.Error, UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise GeminiError(400, "Unable to process input image.") from error
    name = new_uuid()
    return MediaItem(
        key=name,
        name=name,
        account=account,
        project="",
        kind="upload",
        created_at=now,
        width=width,
        height=height,
        content=content,
        mime_type=mime,
    )
