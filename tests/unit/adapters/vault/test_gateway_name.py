from pathlib import Path

from flow2api.adapters.vault import GatewayName
from tests.unit.adapters.vault.test_keys import new_key, ring


def test_name_follows_from_the_key_and_tells_nothing_of_it(tmp_path: Path) -> None:
    key = new_key()
    mine, again, other = ring(tmp_path, key), ring(tmp_path, key), ring(tmp_path, new_key())
    for one in (mine, again, other):
        one.prepare(holds_secrets=False)

    name = GatewayName(mine)()

    assert name == GatewayName(again)()
    assert name != GatewayName(other)()
    assert len(name) == 16
    assert mine.writing.id not in name
