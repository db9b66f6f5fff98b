"""Two processes over one database: the code that one tells is good at the other, and one setup wins."""

import asyncio
from pathlib import Path

from flow2api.adapters.vault import Argon2Passphrases
from flow2api.app import running
from flow2api.domain.errors import SetupClosedError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.visitor import Visitor
from tests.integration.app.test_route_table import services_at

PASSPHRASE = Secret("quiet maple river lamp")


async def test_first_operator_sets_himself_up_at_any_process(tmp_path: Path) -> None:
    one, other = services_at(tmp_path), services_at(tmp_path)
    async with running(one), running(other):
        codes = [(await services.entrance.offer_setup())[0] for services in (one, other)]
        results = await asyncio.gather(
            one.entrance.set_up(codes[1], "ada", PASSPHRASE, Visitor("console", "192.0.2.1")),
            other.entrance.set_up(codes[0], "bob", PASSPHRASE, Visitor("console", "192.0.2.2")),
            return_exceptions=True,
        )

        assert [type(result) for result in results].count(SetupClosedError) == 1
        ((here, token),) = [result for result in results if isinstance(result, tuple)]
        assert here.operator.role is Role.OWNER
        assert (await one.entrance.sign_in.who(token.reveal())).operator == here.operator
        for services in (one, other):
            assert not await services.entrance.set_up.is_open()
            assert list(await services.entrance.operators.all()) == [here.operator]

    assert await Argon2Passphrases().verify(PASSPHRASE, here.operator.passphrase_hash)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert [code for code in codes if code.reveal().encode() in kept] == []
