"""Second factors of operators in the database, their secrets sealed."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import RecoveryCodeRow, SecondFactorRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.audit import AuditEntry
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.second_factor import SecondFactor

FACTORS = table_of(SecondFactorRow)
CODES = table_of(RecoveryCodeRow)

_MINE = FACTORS.c.operator_id == bindparam("of")
_GET = select(FACTORS).where(_MINE)
_CODES = select(CODES.c.digest).where(CODES.c.operator_id == bindparam("of"))
_CONFIRMED = select(FACTORS.c.operator_id).where(_MINE, FACTORS.c.confirmed_at.is_not(None))
_CONFIRM = update(FACTORS).where(_MINE, FACTORS.c.confirmed_at.is_(None))
_TAKE_STEP = update(FACTORS).where(_MINE, FACTORS.c.last_step < bindparam("step")).values(last_step=bindparam("step"))
_TAKE_CODE = delete(CODES).where(CODES.c.operator_id == bindparam("of"), CODES.c.digest == bindparam("wanted"))
_CLEAR_CODES = delete(CODES).where(CODES.c.operator_id == bindparam("of"))
_REMOVE = delete(FACTORS).where(_MINE)


class SqlSecondFactors:
    """One row for each factor, and one for each recovery code that is left."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def of_operator(self, operator_id: int) -> SecondFactor | None:
        def step(connection: Connection) -> SecondFactor | None:
            row = connection.execute(_GET, {"of": operator_id}).mappings().first()
            if row is None:
                return None
            return SecondFactor(
                operator_id=operator_id,
                secret=self._cipher.open(row["secret"], place=_place(operator_id)),
                created_at=to_moment(row["created_at"]),
                confirmed_at=to_moment(row["confirmed_at"]),
                last_step=row["last_step"],
                recovery=frozenset(connection.execute(_CODES, {"of": operator_id}).scalars()),
            )

        return await self._database.read(step)

    async def begin(self, factor: SecondFactor) -> bool:
        row = {**self._row(factor), "operator_id": factor.operator_id}

        def step(connection: Connection) -> bool:
            if connection.execute(_CONFIRMED, {"of": factor.operator_id}).first() is not None:
                return False
            connection.execute(_REMOVE, {"of": factor.operator_id})
            connection.execute(insert(FACTORS), row)
            return True

        return await self._database.write(step)

    async def confirm(self, factor: SecondFactor, audit: AuditEntry | None = None) -> bool:
        row = self._row(factor)

        def step(connection: Connection) -> bool:
            if not connection.execute(_CONFIRM, {"of": factor.operator_id, **row}).rowcount:
                return False
            _keep_codes(connection, factor.operator_id, factor.recovery)
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def take_step(self, operator_id: int, step: int) -> bool:
        values = {"of": operator_id, "step": step}
        return await self._database.write(lambda connection: bool(connection.execute(_TAKE_STEP, values).rowcount))

    async def take_recovery(self, operator_id: int, digest: bytes, audit: AuditEntry | None = None) -> bool:
        def step(connection: Connection) -> bool:
            if not connection.execute(_TAKE_CODE, {"of": operator_id, "wanted": digest}).rowcount:
                return False
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def replace_recovery(
        self, operator_id: int, digests: Collection[bytes], audit: AuditEntry | None = None
    ) -> bool:
        def step(connection: Connection) -> bool:
            if connection.execute(_CONFIRMED, {"of": operator_id}).first() is None:
                return False
            _keep_codes(connection, operator_id, digests)
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> bool:
        def step(connection: Connection) -> bool:
            if not connection.execute(_REMOVE, {"of": operator_id}).rowcount:  # codes go along, by their foreign key
                return False
            note_audit(connection, audit)
            return True

        return await self._database.write(step)

    def _row(self, factor: SecondFactor) -> dict[str, Any]:
        return {
            "secret": self._cipher.seal(factor.secret, place=_place(factor.operator_id)),
            "created_at": to_instant(factor.created_at),
            "confirmed_at": to_instant(factor.confirmed_at),
            "last_step": factor.last_step,
        }


def _keep_codes(connection: Connection, operator_id: int, digests: Collection[bytes]) -> None:
    connection.execute(_CLEAR_CODES, {"of": operator_id})
    if digests:
        connection.execute(insert(CODES), [{"operator_id": operator_id, "digest": one} for one in digests])


def _place(operator_id: int) -> str:
    return f"second_factors.secret:{operator_id}"


if TYPE_CHECKING:
    from flow2api.domain.ports.second_factors import SecondFactors

    def _is_second_factors(factors: SqlSecondFactors) -> SecondFactors:
        return factors
