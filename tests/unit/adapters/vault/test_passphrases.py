import asyncio
import threading

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from flow2api.adapters.vault import Argon2Passphrases
from flow2api.domain.errors import StorageError
from flow2api.domain.secret import Secret

GOOD = Secret("quiet maple river lamp")
LEAST_KIB, LEAST_PASSES = 19 * 1024, 2


@pytest.fixture
def passphrases() -> Argon2Passphrases:
    """At the lowest costs that are held to be safe, so that tests are fast."""
    return Argon2Passphrases(memory_kib=LEAST_KIB, passes=LEAST_PASSES)


async def test_defaults_are_argon2id_well_over_what_is_held_to_be_safe() -> None:
    kept = await Argon2Passphrases().hash(GOOD)

    found = extract_parameters(kept.reveal())
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 65536, 3, 1)
    assert found.memory_cost >= LEAST_KIB
    assert found.time_cost >= LEAST_PASSES
    assert (found.salt_len, found.hash_len) == (16, 32)


async def test_only_the_same_passphrase_is_right(passphrases: Argon2Passphrases) -> None:
    kept = await passphrases.hash(GOOD)

    assert await passphrases.verify(GOOD, kept)
    for wrong in ("", "quiet maple river lam", "quiet maple river lamp ", "Quiet maple river lamp"):
        assert not await passphrases.verify(Secret(wrong), kept)


async def test_no_two_hashes_are_alike_and_none_shows_the_passphrase(passphrases: Argon2Passphrases) -> None:
    one, other = await passphrases.hash(GOOD), await passphrases.hash(GOOD)

    assert one != other
    assert "maple" not in one.reveal()


@pytest.mark.parametrize("text", ["字" * 128, "a\x00b" * 4, "half a pair: \ud83d", " spaces around ", "x" * 100_000])
async def test_any_characters_may_be_in_it(passphrases: Argon2Passphrases, text: str) -> None:
    kept = await passphrases.hash(Secret(text))

    assert await passphrases.verify(Secret(text), kept)
    assert not await passphrases.verify(Secret(text[:-1]), kept), "nothing is cut off"


async def test_nobody_has_no_passphrase_and_is_hashed_for_all_the_same(
    passphrases: Argon2Passphrases, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[bytes] = []

    def noted(self: PasswordHasher, data: bytes) -> str:
        hashed.append(data)
        return "$argon2id$"

    monkeypatch.setattr(PasswordHasher, "hash", noted)

    assert not await passphrases.verify(GOOD, None)
    assert hashed == [b"quiet maple river lamp"]


async def test_new_costs_make_old_hashes_old_but_not_wrong(passphrases: Argon2Passphrases) -> None:
    kept = await passphrases.hash(GOOD)
    dearer = Argon2Passphrases(memory_kib=LEAST_KIB + 1024, passes=LEAST_PASSES)

    assert not passphrases.needs_rehash(kept)
    assert dearer.needs_rehash(kept)
    assert await dearer.verify(GOOD, kept)
    assert not dearer.needs_rehash(await dearer.hash(GOOD))


@pytest.mark.parametrize("text", ["", "garbage", "$argon2id$v=19$m=64,t=1,p=1$!$!", "$2b$12$abc", "ü"])
async def test_damaged_hash_is_told_with_the_cure(passphrases: Argon2Passphrases, text: str) -> None:
    with pytest.raises(StorageError, match="flow2api operator reset-password"):
        await passphrases.verify(GOOD, Secret(text))
    assert passphrases.needs_rehash(Secret(text))


async def test_two_are_hashed_at_once_and_never_more(
    passphrases: Argon2Passphrases, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = threading.Barrier(2, timeout=20)
    inside, most, lock = 0, 0, threading.Lock()

    def together(self: PasswordHasher, data: bytes) -> str:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        pair.wait()  # breaks unless two are here together
        with lock:
            inside -= 1
        return threading.current_thread().name

    monkeypatch.setattr(PasswordHasher, "hash", together)

    threads = {kept.reveal() for kept in await asyncio.gather(*(passphrases.hash(GOOD) for _ in range(20)))}

    assert most == 2
    assert threading.current_thread().name not in threads, "the event loop goes on meanwhile"


async def test_caller_who_has_gone_is_not_hashed_for(
    passphrases: Argon2Passphrases, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, hashed = threading.Event(), []

    def held(self: PasswordHasher, data: bytes) -> str:
        release.wait(20)
        hashed.append(data)
        return "hash"

    monkeypatch.setattr(PasswordHasher, "hash", held)
    first = [asyncio.create_task(passphrases.hash(GOOD)) for _ in range(2)]
    waiting = [asyncio.create_task(passphrases.hash(GOOD)) for _ in range(10)]
    await asyncio.sleep(0)

    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    release.set()
    await asyncio.gather(*first)

    assert len(hashed) == 2
