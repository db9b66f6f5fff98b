"""Generations and idempotency claims as rows, and back."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import RowMapping

from flow2api.adapters.persistence.rows.base import to_instant, to_moment
from flow2api.domain.choice import Choice
from flow2api.domain.generation import (
    FailedAttempt,
    Fault,
    Generation,
    Input,
    Operation,
    Passage,
    Phase,
    Stage,
    State,
)
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import IdempotencyClaim

EMPTY = "[]"

_encode = msgspec.json.Encoder().encode
_decode_inputs = msgspec.json.Decoder(tuple[Input, ...]).decode
_decode_choice = msgspec.json.Decoder(Choice).decode
_decode_failed = msgspec.json.Decoder(tuple[FailedAttempt, ...]).decode
_decode_passages = msgspec.json.Decoder(tuple[Passage, ...]).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode

FIXED = frozenset({"id", "key_id", "kind", "created_at", "group_id", "body_digest"})
"""Columns that never change after the row was added; they are what its indexes are made of."""


def generation_to_row(generation: Generation) -> dict[str, Any]:
    """The columns of a generation, but its number."""
    operation, fault = generation.operation, generation.fault
    return {
        "id": generation.id,
        "key_id": generation.key_id,
        "kind": generation.kind.value,
        "model": generation.model,
        "spec_name": generation.spec_name,
        "prompt": generation.prompt,
        "created_at": to_instant(generation.created_at),
        "group_id": generation.group_id,
        "door": generation.door,
        "inputs": _json(generation.inputs),
        "count": generation.count,
        "seed": generation.seed,
        "size": generation.size,
        "seconds": generation.seconds,
        "warnings": _json(generation.warnings),
        "parent_id": generation.parent_id,
        "state": generation.state.value,
        "phase": None if generation.phase is None else generation.phase.value,
        "stage": generation.stage.value,
        "progress": generation.progress,
        "account_id": generation.account_id,
        "workspace": generation.workspace,
        "operation_name": None if operation is None else operation.name,
        "operation_payload": None if operation is None else operation.payload,
        "made": generation.made,
        "results": _json(generation.results),
        "fault_code": None if fault is None else fault.code,
        "fault_message": None if fault is None else fault.message,
        "started_at": to_instant(generation.started_at),
        "ended_at": to_instant(generation.ended_at),
        "expires_at": to_instant(generation.expires_at),
        "deleted_at": to_instant(generation.deleted_at),
        "owner": generation.owner,
        "lease_until": to_instant(generation.lease_until),
        "fence": generation.fence,
        "rescues": generation.rescues,
        "attempts": generation.attempts,
        "choice": None if generation.choice is None else _encode(generation.choice).decode(),
        "body_digest": generation.body_digest,
        "passages": _json_or_none(generation.passages),
        "failed_attempts": _json_or_none(generation.failed_attempts),
    }


def row_to_generation(row: RowMapping) -> Generation:
    """The generation of a row."""
    operation_name, fault_code = row["operation_name"], row["fault_code"]
    return Generation(
        id=row["id"],
        key_id=row["key_id"],
        kind=MediaKind(row["kind"]),
        model=row["model"],
        spec_name=row["spec_name"],
        prompt=row["prompt"],
        created_at=to_moment(row["created_at"]),
        group_id=row["group_id"],
        door=row["door"],
        inputs=() if row["inputs"] == EMPTY else _decode_inputs(row["inputs"]),
        count=row["count"],
        seed=row["seed"],
        size=row["size"],
        seconds=row["seconds"],
        warnings=_texts(row["warnings"]),
        parent_id=row["parent_id"],
        state=State(row["state"]),
        phase=None if row["phase"] is None else Phase(row["phase"]),
        stage=Stage(row["stage"]),
        progress=row["progress"],
        account_id=row["account_id"],
        workspace=row["workspace"],
        operation=None if operation_name is None else Operation(operation_name, row["operation_payload"]),
        made=row["made"],
        results=_texts(row["results"]),
        fault=None if fault_code is None else Fault(fault_code, row["fault_message"]),
        started_at=to_moment(row["started_at"]),
        ended_at=to_moment(row["ended_at"]),
        expires_at=to_moment(row["expires_at"]),
        deleted_at=to_moment(row["deleted_at"]),
        owner=row["owner"],
        lease_until=to_moment(row["lease_until"]),
        fence=row["fence"],
        rescues=row["rescues"],
        attempts=row["attempts"],
        choice=None if row["choice"] is None else _decode_choice(row["choice"]),
        body_digest=row["body_digest"],
        passages=() if row["passages"] is None else _decode_passages(row["passages"]),
        failed_attempts=() if row["failed_attempts"] is None else _decode_failed(row["failed_attempts"]),
    )


def claim_to_row(claim: IdempotencyClaim) -> dict[str, Any]:
    """The columns of a claim."""
    return {
        "key_id": claim.key_id or 0,
        "idempotency_key": claim.idempotency_key,
        "body_digest": claim.body_digest,
        "group_id": claim.group_id,
        "expires_at": to_instant(claim.expires_at),
    }


def row_to_claim(row: RowMapping) -> IdempotencyClaim:
    """The claim of a row."""
    return IdempotencyClaim(
        key_id=row["key_id"] or None,
        idempotency_key=row["idempotency_key"],
        body_digest=row["body_digest"],
        group_id=row["group_id"],
        expires_at=to_moment(row["expires_at"]),
    )


def _json(values: Sequence[object]) -> str:
    return _encode(values).decode() if values else EMPTY


def _json_or_none(values: Sequence[object]) -> str | None:
    return _encode(values).decode() if values else None


def _texts(text: str) -> tuple[str, ...]:
    return () if text == EMPTY else _decode_texts(text)
