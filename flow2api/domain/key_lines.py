"""Which keys took one another's place."""

from collections.abc import Collection, Mapping, Sequence

from flow2api.domain.api_key import ApiKey, Caller


class KeyLines:
    """Knows the lines of keys that rotating made: what is made for one key of a line belongs to all of it."""

    def __init__(self) -> None:
        """Know of no line yet."""
        self._lines: Mapping[int, Sequence[int]] = {}

    def follow(self, keys: Sequence[ApiKey]) -> None:
        """Take in which keys there are.

        Args:
            keys: All that there are, revoked ones included: what was made for those belongs to their line, too.
        """
        lines: dict[int, list[int]] = {}
        for key in keys:
            if key.first_id is not None:
                lines.setdefault(key.first_id, [key.first_id]).append(key.id)
        self._lines = lines

    def of_line(self, line_id: int) -> Sequence[int]:
        """The ids of all keys of a line, its first one among them."""
        return self._lines.get(line_id, (line_id,))

    def keys_of(self, caller: Caller) -> Collection[int | None]:
        """Whose works are the caller's: all keys of his line; None alone for the operator."""
        return {None} if caller.key_id is None else {caller.key_id, *self.of_line(caller.line_id)}

    def owns(self, caller: Caller, key_id: int | None) -> bool:
        """Whether what was made for this key is the caller's."""
        return key_id == caller.key_id or (
            caller.key_id is not None and (key_id == caller.line_id or key_id in self.of_line(caller.line_id))
        )
