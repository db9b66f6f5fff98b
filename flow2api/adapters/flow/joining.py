"""Makes one video of a clip and its extensions (Flow, 2026-03-30 on)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from flow2api.adapters.flow.caller import Caller
from flow2api.adapters.flow.lineage import Clip, Lineage
from flow2api.adapters.flow.payloads import Post, encode
from flow2api.adapters.flow.responses import decoder, standing
from flow2api.domain.errors import (
    CredentialError,
    Flow2ApiError,
    UpstreamInvalidError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import OperationStatus, Product
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access

OVERLAP_S = 1
"""How much of a clip its extension repeats at its beginning."""

LONGEST_S = 300.0
REMEMBERED = 1024


class _Input(msgspec.Struct, rename="camel"):
    media_generation_id: str
    length_nanos: int
    start_time_offset: str
    end_time_offset: str


class _Join(msgspec.Struct, rename="camel"):
    input_videos: list[_Input]


class _Name(msgspec.Struct):
    name: str


class _Handle(msgspec.Struct):
    operation: _Name


class _Started(msgspec.Struct):
    operation: _Handle


class _State(msgspec.Struct, rename="camel"):
    status: str = ""
    output_uri: str | None = None


_read_started = decoder(_Started)
_read_state = decoder(_State)


@dataclass(slots=True)
class _Pending:
    until: float
    handle: _Started | None = None


class Joining:
    """Follows the joins that are under way. What it remembers may be lost: then a join is begun anew, at no cost."""

    def __init__(self, caller: Caller, clock: Clock) -> None:
        self._caller = caller
        self._clock = clock
        self._joins: dict[tuple[int, str], _Pending] = {}

    async def follow(self, access: Access, clips: Sequence[Clip], made: Product) -> OperationStatus:
        """How the join of these clips stands; begun by the first call. A join that fails leaves the last clip alone.

        Args:
            clips: In their order; the last one is ``made``.

        Raises:
            CredentialError: A token is dead; ask again with a fresh one.
        """
        key = (access.account_id, made.name)
        join = self._joins.get(key) or self._remember(key)
        joined: Product | None = None
        try:
            if join.handle is None:
                join.handle = await self._begin(access, clips)
            else:
                joined = await self._look(access, join.handle)
        except CredentialError:
            raise
        except (UpstreamUnavailableError, UpstreamTimeoutError, UpstreamInvalidError):
            pass  # it may come back; the time limit holds
        except Flow2ApiError:
            return self._end(key, of_clips(made, clips[-1:]))
        if joined is not None:
            return self._end(key, of_clips(replace(joined, name=made.name, extra=made.extra), clips))
        if self._clock.monotonic() >= join.until:
            return self._end(key, of_clips(made, clips[-1:]))
        return OperationStatus()

    def _remember(self, key: tuple[int, str]) -> _Pending:
        while len(self._joins) >= REMEMBERED:
            del self._joins[next(iter(self._joins))]
        join = self._joins[key] = _Pending(self._clock.monotonic() + LONGEST_S)
        return join

    def _end(self, key: tuple[int, str], product: Product) -> OperationStatus:
        self._joins.pop(key, None)
        return OperationStatus(product=product)

    async def _begin(self, access: Access, clips: Sequence[Clip]) -> _Started:
        post = Post(":runVideoFxConcatenation", join_body(clips))
        body = await self._caller.post(access, post, timeout_s=self._caller.limits.submit_s)
        return self._caller.read(post.path, _read_started, body)

    async def _look(self, access: Access, handle: _Started) -> Product | None:
        """The joined video, or None while it is not ready.

        Raises:
            UpstreamRejectedError: It failed.
        """
        path, limit_s = ":runVideoFxCheckConcatenationStatus", self._caller.limits.enlarge_s
        async with self._caller.stream_media(access, path, encode(handle), timeout_s=limit_s) as (field, chunks):
            data = b"".join([chunk async for chunk in chunks])
            state = self._caller.read(path, _read_state, field.finish())
        match standing(state.status):
            case "done" if data or state.output_uri:
                return Product("", state.output_uri or None, data or None)
            case "running":
                return None
            case _:
                raise UpstreamRejectedError(f"The service could not join the videos ({state.status or 'no status'}).")


def join_body(clips: Sequence[Clip]) -> bytes:
    """What asks for clips to be joined: each but the first repeats the last second of the one before."""
    return encode(_Join([
        _Input(clip.name, clip.seconds * 1000, f"{OVERLAP_S if place else 0}s", f"{clip.seconds}s")
        for place, clip in enumerate(clips)
    ]))  # fmt: skip


def of_clips(product: Product, clips: Sequence[Clip]) -> Product:
    """The product as what is joined of these clips: its lineage names them, and its length is theirs."""
    lineage = msgspec.structs.replace(Lineage.of(product), clips=tuple(clips))
    seconds = sum(clip.seconds for clip in clips) - OVERLAP_S * (len(clips) - 1)
    return replace(product, extra=lineage.text(), seconds=seconds)
