"""What holds very many things is freed in steps."""

import asyncio

from flow2api.domain.let_go import AT_ONCE, let_go


async def test_others_have_their_turn_while_much_is_let_go() -> None:
    many, named = list(range(5 * AT_ONCE)), dict.fromkeys(range(3 * AT_ONCE + 1), "")
    turns, going = 0, asyncio.create_task(let_go(many, named))
    while not going.done():
        turns += 1
        await asyncio.sleep(0)

    assert (many, named) == ([], {})
    assert turns >= 9
