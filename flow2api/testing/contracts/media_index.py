"""What a storage promises of what is known of media."""

from datetime import timedelta

import pytest

from flow2api.domain.errors import ConflictError
from flow2api.domain.ports.storage import Storage
from flow2api.testing.samples import (
    NOW,
    media_of,
    whole_media,
)


class MediaIndexContract:
    """What is known of kept media."""

    async def test_keeps_every_field(self, storage: Storage) -> None:
        await storage.media.add([whole_media()])

        assert await storage.media.get(["med_whole"]) == [whole_media()]

    async def test_gives_them_in_the_order_asked_for(self, storage: Storage) -> None:
        names = [f"med_{number:04}" for number in range(1200)]
        await storage.media.add([media_of(name) for name in names])

        asked = [*reversed(names), "med_unknown", names[5]]

        assert [media.id for media in await storage.media.get(asked)] == [*reversed(names), names[5]]
        assert await storage.media.get([]) == []

    async def test_expired_come_oldest_first(self, storage: Storage) -> None:
        for number in (3, 1, 2, 4):
            await storage.media.add([media_of(f"med_{number}", expires_at=NOW + timedelta(seconds=number))])
        await storage.media.add([media_of("med_for_ever")])

        expired = await storage.media.expired(NOW + timedelta(seconds=3), 10)

        assert [media.id for media in expired] == ["med_1", "med_2", "med_3"]
        assert [media.id for media in await storage.media.expired(NOW + timedelta(days=1), 2)] == ["med_1", "med_2"]

    async def test_removal_tells_which_bytes_nobody_refers_to(self, storage: Storage) -> None:
        await storage.media.add([media_of("med_1", sha256="aa"), media_of("med_2", sha256="aa")])
        await storage.media.add([media_of("med_3", sha256="bb")])

        assert list(await storage.media.remove(["med_1", "med_3", "med_unknown"])) == ["bb"]
        assert list(await storage.media.remove(["med_2"])) == ["aa"]
        assert list(await storage.media.remove(["med_2"])) == []
        assert await storage.media.get(["med_1", "med_2", "med_3"]) == []

    async def test_tells_which_bytes_somebody_refers_to(self, storage: Storage) -> None:
        await storage.media.add([media_of("med_1", sha256="aa"), media_of("med_2", sha256="aa")])
        await storage.media.add([media_of("med_3", sha256="bb")])

        many = [f"{number:064}" for number in range(1200)]
        assert await storage.media.named(["aa", "cc", *many, "bb"]) == {"aa", "bb"}
        assert await storage.media.named([]) == frozenset()

    async def test_refuses_an_id_that_is_there(self, storage: Storage) -> None:
        await storage.media.add([media_of("med_1")])

        with pytest.raises(ConflictError):
            await storage.media.add([media_of("med_2"), media_of("med_1")])

        assert await storage.media.get(["med_2"]) == []
