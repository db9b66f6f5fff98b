"""What a storage promises that can be looked at closely, copied, and put back as a whole."""

import stat
from pathlib import Path

import pytest

from flow2api.domain.errors import ConflictError, StorageBusyError, StorageError
from flow2api.domain.ports.storage import Maintains, Storage
from flow2api.testing.contracts.reading import NewStorage, all_accounts
from flow2api.testing.samples import account_of, credentials_of


class MaintainsContract:
    """A close look, copies, and putting one back; asked of those that offer it."""

    @pytest.fixture
    def maintained(self, new_storage: NewStorage) -> Maintains:
        """A storage over the data of the test, not open."""
        made = new_storage()
        if not isinstance(made, Maintains):
            pytest.skip("it is not looked at, copied or put back as a whole")
        return made

    @pytest.fixture
    def copies(self, tmp_path: Path) -> Path:
        """A folder without anything in it."""
        folder = tmp_path / "copies of the contract"
        folder.mkdir()
        return folder

    async def test_there_is_nothing_to_look_at_before_it_was_ever_open(
        self, maintained: Maintains, copies: Path
    ) -> None:
        with pytest.raises(StorageError):
            await maintained.examine()
        with pytest.raises(StorageError):
            await maintained.back_up(copies / "copy")

        assert _names_in(copies) == []

    async def test_data_is_sound_whether_somebody_uses_it_or_not(self, maintained: Maintains, storage: Storage) -> None:
        await storage.accounts.add([(account_of("a"), credentials_of("a"))])

        beside = await maintained.examine()
        await storage.aclose()
        alone = await maintained.examine()

        for found in (beside, alone):
            assert found.faults == ()
            assert found.schema == found.newest_schema
            assert found.size_bytes > 0

    async def test_copy_is_one_file_that_only_its_owner_may_read(
        self, maintained: Maintains, storage: Storage, copies: Path
    ) -> None:
        await storage.accounts.add([(account_of("a"), credentials_of("a"))])

        size = await maintained.back_up(copies / "copy")

        assert _names_in(copies) == ["copy"]
        found = (copies / "copy").stat()
        assert found.st_size == size > 0
        assert stat.S_IMODE(found.st_mode) == 0o600

    async def test_copy_replaces_no_file(self, maintained: Maintains, storage: Storage, copies: Path) -> None:
        (copies / "copy").write_text("precious")

        with pytest.raises(ConflictError):
            await maintained.back_up(copies / "copy")

        assert _names_in(copies) == ["copy"]
        assert (copies / "copy").read_text() == "precious"

    async def test_what_is_put_back_is_the_moment_of_the_copy(
        self, maintained: Maintains, storage: Storage, new_storage: NewStorage, copies: Path
    ) -> None:
        (kept,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.options.write({"policy": "random"}, "ada")
        await maintained.back_up(copies / "copy")
        await storage.accounts.add([(account_of("b"), credentials_of("b"))])
        await storage.options.write({"policy": "sticky", "retries": 1}, "ada")
        await storage.aclose()

        former = await maintained.restore(copies / "copy")

        assert former is not None
        assert former.exists()
        again = new_storage()
        await again.open()
        try:
            assert await all_accounts(again) == [kept]
            assert await again.vault.read(kept.id) == credentials_of("a")
            assert await again.options.read() == {"policy": "random"}
            (added,) = await again.accounts.add([(account_of("c"), credentials_of("c"))])
            assert await all_accounts(again) == [kept, added]
        finally:
            await again.aclose()

    async def test_copy_can_be_put_back_again_and_keeps_whatever_was_there(
        self, maintained: Maintains, storage: Storage, copies: Path
    ) -> None:
        await maintained.back_up(copies / "copy")
        await storage.aclose()

        formers = {await maintained.restore(copies / "copy") for _ in range(2)}

        assert len(formers) == 2
        assert all(former is not None and former.exists() for former in formers)

    async def test_nothing_is_put_back_beside_whoever_uses_it(
        self, maintained: Maintains, storage: Storage, copies: Path
    ) -> None:
        await maintained.back_up(copies / "copy")
        (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])

        with pytest.raises(StorageBusyError):
            await maintained.restore(copies / "copy")

        assert await all_accounts(storage) == [account]

    @pytest.mark.parametrize("damage", ["garbage", "nothing", "cut off"])
    async def test_copy_that_is_damaged_or_none_is_refused_and_nothing_is_changed(
        self, maintained: Maintains, storage: Storage, new_storage: NewStorage, copies: Path, damage: str
    ) -> None:
        (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        copy = copies / "copy"
        await maintained.back_up(copy)
        whole = copy.read_bytes()
        copy.write_bytes({"garbage": b"no copy " * 1000, "nothing": b"", "cut off": whole[: len(whole) // 2]}[damage])
        await storage.aclose()

        with pytest.raises(StorageError):
            await maintained.restore(copy)

        again = new_storage()
        await again.open()
        try:
            assert await all_accounts(again) == [account]
        finally:
            await again.aclose()


def _names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())
