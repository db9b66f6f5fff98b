import pytest

from flow2api.domain.audit import Actor
from flow2api.domain.errors import StorageError, UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_connection_token import ManageConnectionToken
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.inheritance import FakeConnectionTokens
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.fakes.storage import FakeStorage

OPERATOR = Actor(name="ada", door="admin_api")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def tokens(storage: FakeStorage) -> FakeConnectionTokens:
    assert isinstance(storage.connection_tokens, FakeConnectionTokens)
    return storage.connection_tokens


@pytest.fixture
def manage(tokens: FakeConnectionTokens, clock: FakeClock) -> ManageConnectionToken:
    return ManageConnectionToken(tokens, FakeCipher(), clock)


async def test_nobody_is_let_in_before_one_is_made(manage: ManageConnectionToken) -> None:
    assert await manage.current() is None
    assert not await manage.accepts(Secret(""))
    assert not await manage.accepts(Secret("anything"))


async def test_made_token_is_let_in_and_only_its_hash_is_kept(
    manage: ManageConnectionToken, tokens: FakeConnectionTokens
) -> None:
    token, text = await manage.rotate()

    assert text.reveal().startswith("f2c_")
    assert len(text) >= 40
    assert token.prefix == text.reveal()[:10]
    assert token.created_at == START
    assert tokens.kept == token
    assert text.reveal()[10:] not in repr(tokens.kept)
    assert await manage.accepts(text)
    assert not await manage.accepts(Secret(text.reveal() + "x"))


async def test_former_token_opens_nothing_after_a_rotation(manage: ManageConnectionToken) -> None:
    _, former = await manage.rotate()
    _, latter = await manage.rotate()

    assert not await manage.accepts(former)
    assert await manage.accepts(latter)
    await manage.revoke()
    assert not await manage.accepts(latter)
    assert await manage.current() is None


async def test_operator_may_choose_the_text_if_it_is_long(manage: ManageConnectionToken) -> None:
    token, text = await manage.rotate("a token of the operator's own choosing")

    assert await manage.accepts(text)
    assert token.prefix == "", "nothing of a chosen one is shown"
    with pytest.raises(UnsupportedInputError, match="32 to 256"):
        await manage.rotate("short")
    assert await manage.accepts(text)


async def test_what_another_process_makes_is_known_within_two_seconds(
    manage: ManageConnectionToken, tokens: FakeConnectionTokens, clock: FakeClock
) -> None:
    _, former = await manage.rotate()
    _, latter = await ManageConnectionToken(tokens, FakeCipher(), clock).rotate()

    clock.advance(2.1)

    assert await manage.accepts(latter)
    assert not await manage.accepts(former)


async def test_guesses_make_the_database_read_once_in_two_seconds(
    manage: ManageConnectionToken, tokens: FakeConnectionTokens
) -> None:
    for number in range(100):
        assert not await manage.accepts(Secret(f"guess {number}"))

    assert tokens.reads == 1


async def test_change_and_audit_entry_are_one(manage: ManageConnectionToken, storage: FakeStorage) -> None:
    _, kept = await manage.rotate(actor=OPERATOR)
    assert [(entry.action, entry.actor) for entry in storage.tables.audit] == [("connection_token.made", OPERATOR)]
    storage.tables.audit_fault = StorageError("the audit log refuses")

    with pytest.raises(StorageError):
        await manage.revoke(OPERATOR)

    assert await manage.accepts(kept)


@pytest.mark.parametrize("text", ["x" * 31, "x" * 40, "0123456789" * 26, "ü0123456789" * 4, "0123456789abc\n" * 3])
async def test_text_that_could_be_guessed_or_not_be_presented_is_refused(
    manage: ManageConnectionToken, text: str
) -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        await manage.rotate(text)

    assert text not in refused.value.message
    assert await manage.current() is None


async def test_token_that_another_process_has_replaced_opens_nothing_two_seconds_later(
    manage: ManageConnectionToken, tokens: FakeConnectionTokens, clock: FakeClock
) -> None:
    _, former = await manage.rotate()
    await ManageConnectionToken(tokens, FakeCipher(), clock).rotate()
    clock.advance(3)
    assert not await manage.accepts(former)
