"""Who signs in with a secret: an account is an upstream, its base URL if it has one, and the secret together."""

from collections.abc import Mapping, Sequence

from flow2api.domain.account import Place
from flow2api.domain.ports.storage import Accounts, CredentialVault
from flow2api.domain.secret import Secret


async def find_owners(
    vault: CredentialVault, accounts: Accounts, secrets: Sequence[Secret], place: Place
) -> Mapping[Secret, int]:
    """Which of these secrets accounts that are served there sign in with, and which accounts.

    The same key may be good at several places (two gateways of one company, say); there it is another account.
    """
    kept = await vault.find(secrets)
    known = await accounts.some([account_id for ids in kept.values() for account_id in ids])
    owners: dict[Secret, int] = {}
    for secret, ids in kept.items():
        here = (account_id for account_id in ids if account_id in known and known[account_id].place == place)
        owner = next(here, None)
        if owner is not None:
            owners[secret] = owner
    return owners
