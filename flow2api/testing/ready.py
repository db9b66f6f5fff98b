"""Accounts that are ready to serve, for tests of selection policies."""

from random import Random

from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import Candidate, Need, ReadySet, SelectionPolicy
from flow2api.testing.factories import AccountFactory, picture_spec

PAINT = Need(picture_spec())
"""What a plain request for a picture needs."""


def candidates(count: int, **changes: object) -> list[Candidate]:
    """Healthy accounts that carry nothing, with the ids from 1 on.

    Args:
        **changes: Fields of `Account` that all of them have.
    """
    return [Candidate(AccountFactory.build(**{"id": number, **changes})) for number in range(1, count + 1)]


def ready_of(*ready: Candidate) -> ReadyAccounts:
    """A ready set of these."""
    made = ReadyAccounts()
    for one in ready:
        made.stand(one, None)
    return made


def picks(policy: SelectionPolicy, ready: ReadySet, times: int, need: Need = PAINT) -> list[int]:
    """The ids of the accounts that a policy selects so many times in a row, always by the same chance."""
    random = Random(1)
    return [policy.select(ready, need, random).account.id for _ in range(times)]
