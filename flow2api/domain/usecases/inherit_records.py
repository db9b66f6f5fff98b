"""What the old server recorded, as records of ours."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from flow2api.domain.generation import Fault, Generation, State
from flow2api.domain.legacy import SOURCE, LegacyFigures, LegacyLogLine, LegacyTask, Total
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.redaction import redact
from flow2api.domain.request_log import LoggedRequest
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.inherit_accounts import Heir

_COMPLETED = frozenset({"completed", "success", "succeeded"})
_FAILED = frozenset({"failed", "error", "cancelled"})
_VIDEO_WORDS = ("veo", "video", "t2v", "i2v", "r2v")
_TASK_PURPOSE = "legacy_task"
_ID_CHARACTERS = 32


def totals_of(figures: Iterable[LegacyFigures], heirs: Mapping[int, Heir]) -> Sequence[Total]:
    """What accounts did before they came here.

    The old server kept one sum and its last day. What is not of that day is put on the day on which it got to know
    the account, so that sums are right and no chart shows it as today's.
    """
    sums: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in figures:
        heir = heirs[one.account]
        first = heir.since.date()
        whole = (one.images, one.videos, one.errors)
        told = (one.day_images, one.day_videos, one.day_errors) if one.day else (0, 0, 0)
        last = tuple(min(part, all_of) for part, all_of in zip(told, whole, strict=True))
        if one.day == first.isoformat():
            last = whole
        elif one.day is not None and one.day < first.isoformat():
            first = datetime.fromisoformat(one.day).date() - timedelta(days=1)
        rest = tuple(all_of - part for part, all_of in zip(last, whole, strict=True))
        for day, counts in ((one.day, last), (first.isoformat(), rest)):
            if day is not None and any(counts):
                sums[heir.account_id, day] = [a + b for a, b in zip(sums[heir.account_id, day], counts, strict=True)]
    return [Total(account_id, day, *counts) for (account_id, day), counts in sums.items()]


def generation_of(task: LegacyTask, heirs: Mapping[int, Heir], cipher: Cipher, now: datetime) -> Generation:
    """A task as a generation that has ended: with whatever result, it is not gone on with here."""
    kind = _kind_of(task.model)
    created_at = min(task.created_at or task.completed_at or now, now)
    heir = None if task.account is None else heirs.get(task.account)
    # The same id each time, and one that nobody can guess who knows the old one.
    digest = cipher.digest(Secret(f"{task.id} {task.model}"), purpose=_TASK_PURPOSE).hex()[:_ID_CHARACTERS]
    generation = Generation(
        id=f"{'video' if kind is MediaKind.VIDEO else 'gen'}_{digest}",
        key_id=None,
        kind=kind,
        model=task.model or SOURCE,
        spec_name=task.model or SOURCE,
        prompt=task.prompt,
        created_at=created_at,
        group_id=f"group_{digest}",
        door=SOURCE,
        progress=task.progress,
        account_id=None if heir is None else heir.account_id,
        started_at=created_at,
    )
    ended_at = min(max(task.completed_at or created_at, created_at), now)
    if task.status in _COMPLETED:
        return generation.changed(warnings=_where(task)).completed((), ended_at, None)
    if task.status in _FAILED:
        message = redact(task.error or "It failed in the old server.")
        return generation.failed(Fault("upstream_error", message), ended_at)
    unknown = "The old server was still at work on it; whether it was made is not known."
    return generation.failed(Fault("upstream_state_unknown", unknown), ended_at)


def log_line_of(line: LegacyLogLine, heirs: Mapping[int, Heir], at: datetime) -> LoggedRequest:
    """A line of the log without its bodies. The number is given by whoever keeps it."""
    heir = None if line.account is None else heirs.get(line.account)
    is_well = line.status is not None and 200 <= line.status < 300
    kind = _KINDS.get(line.operation)
    return LoggedRequest(
        number=0,
        at=at,
        request_id=f"{SOURCE}_{line.number}",
        key_id=None,
        door=SOURCE,
        model=SOURCE,
        kind=None if kind is None else kind.value,
        account_id=None if heir is None else heir.account_id,
        generation_id=None,
        state=(State.COMPLETED if is_well else State.FAILED).value,
        status=line.status if line.status in range(100, 600) else None,
        code=None if is_well else _code_of(line.status),
        message=None,
        attempts=0,
        waited_ms=0,
        duration_ms=round(line.duration_s * 1000),
        results=0,
        prompt=None,
    )


_KINDS = {"generate_image": MediaKind.IMAGE, "generate_video": MediaKind.VIDEO}


def _code_of(status: int | None) -> str:
    if status not in range(100, 600):
        return "upstream_state_unknown"
    return "upstream_rate_limited" if status == 429 else "upstream_error"


def _kind_of(model: str) -> MediaKind:
    folded = model.casefold()
    return MediaKind.VIDEO if any(word in folded for word in _VIDEO_WORDS) else MediaKind.IMAGE


def _where(task: LegacyTask) -> tuple[str, ...]:
    if not task.urls:
        return ("The old server kept no address of the result.",)
    return tuple(f"The old server had the result at {url}" for url in task.urls)
