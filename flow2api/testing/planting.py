"""Accounts as a test wants them, whatever they were."""

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.ports.storage import Accounts, Changed, CredentialVault


async def plant(accounts: Accounts, account: Account, audit: AuditEntry | None = None) -> Changed | None:
    """Let the account be stored like this."""
    return await accounts.change(account.id, lambda _: account, lambda _: audit)


async def plant_secrets(
    vault: CredentialVault, account: Account, credentials: Credentials, audit: AuditEntry | None = None
) -> Changed | None:
    """Let the account be stored like this, with these secrets."""
    return await vault.write(account.id, credentials, lambda _: account, lambda _: audit)
