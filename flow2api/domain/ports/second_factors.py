"""Codes that change by time: how they are checked, and what of them is kept."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.secret import Secret


class OneTimeCodes(Protocol):
    """Codes of six digits that an app makes of a shared secret and the time (RFC 6238)."""

    def new_secret(self) -> Secret:
        """A secret of chance, in base32."""
        ...

    def uri(self, secret: Secret, *, name: str) -> Secret:
        """The secret as the ``otpauth`` address that apps read from a picture; the name tells it from others."""
        ...

    def step_of(self, secret: Secret, code: Secret, at: datetime) -> int | None:
        """The step of time whose code this is, at most one before or after the present one; None when there is none."""
        ...


class SecondFactors(Protocol):
    """The second factors of operators, one each at most. They go with their operator."""

    async def of_operator(self, operator_id: int) -> SecondFactor | None:
        """The one of this operator, confirmed or not."""
        ...

    async def begin(self, factor: SecondFactor) -> bool:
        """Keep one that is not confirmed, in the place of another such one; False when a confirmed one is there."""
        ...

    async def confirm(self, factor: SecondFactor, audit: AuditEntry | None = None) -> bool:
        """Keep a confirmed one in the place of one that is not; False when there is none (any more)."""
        ...

    async def take_step(self, operator_id: int, step: int) -> bool:
        """Take the code of this step of time; False when it or a later one was taken, and then nothing is written."""
        ...

    async def take_recovery(self, operator_id: int, digest: bytes, audit: AuditEntry | None = None) -> bool:
        """Take the recovery code with this digest, once; False when it is none (any more)."""
        ...

    async def replace_recovery(
        self, operator_id: int, digests: Collection[bytes], audit: AuditEntry | None = None
    ) -> bool:
        """Put other recovery codes in the place of all; False when there is no confirmed factor."""
        ...

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> bool:
        """Forget it with its recovery codes; False when there is none, and then nothing is written."""
        ...
