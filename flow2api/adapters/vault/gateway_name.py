"""How an installation is known to other gateways that it is chained with."""

from flow2api.adapters.vault.keys import KeyRing, MasterKey

_BYTES = 8


class GatewayName:
    """A name that all processes with the same master key share, that no other installation has, and that tells nothing else."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._key: MasterKey | None = None
        self._name = ""

    def __call__(self) -> str:
        """The name, as long as the key that writes stays the same."""
        key = self._keys.writing
        if key is not self._key:
            self._key, self._name = key, key.derive("gateway name")[:_BYTES].hex()
        return self._name
