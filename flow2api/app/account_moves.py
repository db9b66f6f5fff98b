"""Files of accounts as pages take them in and give them away: every form, sealed or not."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flow2api.adapters.account_files import AUTO, JSON, MOST_BYTES, AccountWriter, format_of, read_accounts
from flow2api.adapters.vault.passphrase import Sealing, open_document, read_sealed
from flow2api.domain.account import Account, Credentials
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.run_imports import GivenRows

_HEAD = 4096


class AccountFiles:
    """Reads and writes them; reading blocks and belongs into a thread, where it lets others have their turn."""

    def __init__(self, kinds: CredentialKinds) -> None:
        self._kinds = kinds

    def read(self, data: bytes, form: str, passphrase: Secret | None) -> GivenRows:
        """The rows of a file.

        Args:
            form: ``json``, ``csv``, ``lines``, or ``auto`` for what it looks like.
            passphrase: What it is sealed under; None when it is not.

        Raises:
            UnsupportedInputError: It is empty, of another form, too large, or sealed under something else.
        """
        document = read_sealed(data)
        if document is not None:
            if passphrase is None:
                raise UnsupportedInputError("The file is encrypted; give the passphrase it was made with.", param="key")
            data = open_document(document, passphrase)
        if len(data) > MOST_BYTES:
            raise UnsupportedInputError(f"The file is larger than {MOST_BYTES // 1024:,} KiB; split it.")
        # To strip it would copy all of it, in one step that nobody else gets a turn in.
        if not data[:_HEAD].strip() and not data.strip():
            raise UnsupportedInputError("The file is empty.")
        form = format_of(data) if form == AUTO else form
        with _uncollected():
            rows = read_accounts(data, form, self._kinds)
        return GivenRows(rows, "row" if form == JSON else "line")

    def writer(self, form: str, passphrase: Secret | None) -> "SealedWriter | AccountWriter":
        """A file to be written in parts.

        Args:
            form: ``json`` or ``csv``.
            passphrase: What it is sealed under; None leaves the secrets readable.
        """
        writer = AccountWriter(form, self._kinds)
        return writer if passphrase is None else SealedWriter(writer, Sealing(passphrase))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no collector go through all the rows, again and again: it holds everybody up meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class SealedWriter:
    """The same, encrypted."""

    def __init__(self, writer: AccountWriter, sealing: Sealing) -> None:
        self._writer = writer
        self._sealing = sealing

    def begin(self) -> bytes:
        """What the file begins with."""
        return self._sealing.begin() + self._sealing.part(self._writer.begin())

    def part(self, accounts: Sequence[tuple[Account, Credentials]]) -> bytes:
        """These accounts."""
        return self._sealing.part(self._writer.part(accounts))

    def end(self) -> bytes:
        """What the file ends with; nothing may follow."""
        return self._sealing.part(self._writer.end()) + self._sealing.end() + b"\n"
