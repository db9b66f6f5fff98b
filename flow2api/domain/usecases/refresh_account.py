"""Has the upstream asked about one account now: access, plan, credits and, where one is missing, a workspace."""

from collections.abc import Collection

from flow2api.domain.account import Account, RestReason
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import AccountNotFoundError, ConflictError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.warm_accounts import WarmAccounts

_LEFT_ALONE = {
    RestReason.MANUAL: "You have switched it off; enable it first.",
    RestReason.AUTH_EXPIRED: "Its session has ended; give it a new session token by an import with its address.",
    RestReason.UNUSABLE: "The upstream calls it unusable; enable it to have it tried again.",
}


class RefreshAccount:
    """Asks for one account at a time, together with whoever asks for it already."""

    def __init__(
        self,
        pool: AccountPool,
        warm: WarmAccounts,
        upstreams: Collection[str],
        audit_log: AuditLog,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._warm = warm
        self._upstreams = upstreams
        self._audit_log = audit_log
        self._clock = clock

    async def __call__(self, account_id: int, actor: Actor | None = None) -> Account:
        """The account as the upstream told of it.

        Args:
            actor: Who wants it, which is put down before; None when it has been.

        Raises:
            AccountNotFoundError: It is not in the pool.
            ConflictError: It rests for a reason for which the upstream is left alone, or no plugin offers its upstream.
            Flow2ApiError: What kept it from becoming warm.
        """
        account = self._at_work(account_id)
        problem = why_left_alone(account)
        if problem is not None:
            raise ConflictError(problem)
        if account.upstream not in self._upstreams:
            raise ConflictError(f"No plugin offers its upstream {account.upstream!r}.")
        if actor is not None:
            entry = AuditEntry(
                at=self._clock.now(), actor=actor, action=AuditAction.RENEWAL_ASKED, subject=str(account_id)
            )
            await self._audit_log.note(entry)
        await self._warm.warm(account_id)
        return self._at_work(account_id)

    def _at_work(self, account_id: int) -> Account:
        account = self._pool.get(account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        return account


def why_left_alone(account: Account) -> str | None:
    """Why nobody should ask the upstream about it, and what to do; None when one may."""
    rest = next((one for one in account.rests if one.model is None and one.reason in _LEFT_ALONE), None)
    return None if rest is None else _LEFT_ALONE[rest.reason]
