"""Tells which accounts would be chosen now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flow2api.domain.account import Account
from flow2api.domain.catalog import ModelCatalog, ModelSpec
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Need, SelectionPolicy

MOST = 3


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Who would get the next generations of a kind.

    Attributes:
        model: The model that was asked about; None when no account could serve any of the kind.
        accounts: In their order, each once, `MOST` at most.
    """

    kind: MediaKind
    model: str | None = None
    accounts: Sequence[Account] = ()


class ForeseeChoices:
    """Asks a policy as a request would, without giving anybody anything to do."""

    def __init__(
        self, pool: AccountPool, catalog: ModelCatalog, policies: Mapping[str, Callable[[], SelectionPolicy]]
    ) -> None:
        self._pool = pool
        self._catalog = catalog
        self._policies = policies

    def __call__(self, policy: str) -> list[Foreseen]:
        """For each kind of media those that come next under this policy.

        What the policy in force remembers of former choices is not asked; it is asked as if it began now.

        Raises:
            UnsupportedInputError: There is no such policy.
        """
        make = self._policies.get(policy)
        if make is None:
            raise UnsupportedInputError(f"There is no selection policy {policy[:64]!r}.", param="policy")
        return [self._of_kind(kind, make) for kind in MediaKind]

    def _of_kind(self, kind: MediaKind, make: Callable[[], SelectionPolicy]) -> Foreseen:
        by_signature: dict[object, ModelSpec] = {}
        for spec in self._catalog.specs():
            if spec.kind is kind:
                by_signature.setdefault(Need(spec).signature, spec)
        for spec in by_signature.values():
            accounts = self._pool.foresee(Need(spec), make(), MOST)
            if accounts:
                return Foreseen(kind, spec.name, accounts)
        return Foreseen(kind)
