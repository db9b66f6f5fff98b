"""Second factors and setup codes in memory, and codes that are easy to know."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING

from flow2api.domain.audit import AuditEntry
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.tables import Tables

if TYPE_CHECKING:
    from flow2api.domain.ports.second_factors import OneTimeCodes, SecondFactors
    from flow2api.domain.ports.setup_codes import SetupCodes


class FakeSecondFactors:
    """Second factors in memory, not sealed."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_operator(self, operator_id: int) -> SecondFactor | None:
        return self._tables.second_factors.get(operator_id)

    async def begin(self, factor: SecondFactor) -> bool:
        self._tables.writing()
        if self._confirmed(factor.operator_id) is not None:
            return False
        self._tables.second_factors[factor.operator_id] = factor
        return True

    async def confirm(self, factor: SecondFactor, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        former = self._tables.second_factors.get(factor.operator_id)
        if former is None or former.confirmed_at is not None:
            return False
        self._tables.second_factors[factor.operator_id] = factor
        self._tables.note_audit(audit)
        return True

    async def take_step(self, operator_id: int, step: int) -> bool:
        self._tables.writing()
        factor = self._tables.second_factors.get(operator_id)
        if factor is None or factor.last_step >= step:
            return False
        self._tables.second_factors[operator_id] = replace(factor, last_step=step)
        return True

    async def take_recovery(self, operator_id: int, digest: bytes, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        factor = self._tables.second_factors.get(operator_id)
        if factor is None or digest not in factor.recovery:
            return False
        self._tables.second_factors[operator_id] = replace(factor, recovery=factor.recovery - {digest})
        self._tables.note_audit(audit)
        return True

    async def replace_recovery(
        self, operator_id: int, digests: Collection[bytes], audit: AuditEntry | None = None
    ) -> bool:
        self._tables.writing(audit)
        factor = self._confirmed(operator_id)
        if factor is None:
            return False
        self._tables.second_factors[operator_id] = replace(factor, recovery=frozenset(digests))
        self._tables.note_audit(audit)
        return True

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        if self._tables.second_factors.pop(operator_id, None) is None:
            return False
        self._tables.note_audit(audit)
        return True

    def _confirmed(self, operator_id: int) -> SecondFactor | None:
        factor = self._tables.second_factors.get(operator_id)
        return None if factor is None or factor.confirmed_at is None else factor


class FakeSetupCodes:
    """Setup codes in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, digest: bytes, expires_at: datetime, now: datetime, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        codes = self._tables.setup_codes
        for ended in [one for one, until in codes.items() if until <= now]:
            del codes[ended]
        codes[digest] = expires_at
        self._tables.note_audit(audit)

    async def is_good(self, digest: bytes, now: datetime) -> bool:
        until = self._tables.setup_codes.get(digest)
        return until is not None and until > now

    async def clear(self) -> None:
        self._tables.writing()
        self._tables.setup_codes.clear()


class FakeOneTimeCodes:
    """The code of a step is the step's number, in six digits, whatever the secret is."""

    def __init__(self) -> None:
        self._secrets = count(1)

    def new_secret(self) -> Secret:
        return Secret(f"secret {next(self._secrets)}")

    def uri(self, secret: Secret, *, name: str) -> Secret:
        return Secret(f"otpauth://totp/{name}?secret={secret.reveal()}")

    def step_of(self, secret: Secret, code: Secret, at: datetime) -> int | None:
        now = _step(at)
        return next((step for step in (now, now - 1, now + 1) if code.reveal() == _code(step)), None)

    def code_at(self, at: datetime) -> Secret:
        """The code that an app shows at this time."""
        return Secret(_code(_step(at)))


def _step(at: datetime) -> int:
    return int(at.timestamp()) // 30


def _code(step: int) -> str:
    return f"{step % 1_000_000:06}"


if TYPE_CHECKING:
    _: OneTimeCodes = FakeOneTimeCodes()

    def _is_second_factors(fake: FakeSecondFactors) -> SecondFactors:
        return fake

    def _is_setup_codes(fake: FakeSetupCodes) -> SetupCodes:
        return fake
