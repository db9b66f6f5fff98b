"""Fetching what was made: repeated while that helps, and looked at before it is believed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.generation import Generation, Input, InputRole, Operation, OperationStatus, Product
from flow2api.domain.media import Media
from flow2api.domain.ports.upstream import Access
from flow2api.domain.usecases.keep_products import product_from_text, product_to_text
from flow2api.testing.fakes.media import fake_picture
from flow2api.testing.fakes.upstream import MP4_HEAD
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage, swap


def generation(stage: Stage, spec: object = PAINT, **fields: object) -> Generation:
    return stage.job(spec, **fields).generation  # type: ignore[arg-type]


async def planted(stage: Stage, data: bytes, name: str = "thing") -> Product:
    """Something in the first account that can be fetched."""
    stage.upstream.contents[name], stage.upstream.owners[name] = data, stage.upstream.players[0]
    return Product(name, url="https://media.example/thing")


async def test_size_is_read_from_the_picture_itself(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture("image/png", 640, 480))
    media = await stage.products.keep(account, generation(stage), product)
    assert (media.width, media.height, media.content_type) == (640, 480, "image/png")
    assert stage.world.store.contents[media.sha256] == fake_picture("image/png", 640, 480)


async def test_bytes_that_came_along_are_not_fetched(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    await stage.products.keep(account, generation(stage), Product("p", data=fake_picture()))
    assert stage.upstream.count("fetch") == 0


@pytest.mark.parametrize(
    "error",
    [
        tree.UpstreamUnavailableError("down", reached=True),
        tree.UpstreamTimeoutError("late"),
        tree.UpstreamNotFoundError("not yet"),
        tree.UpstreamInvalidError("a page"),
        tree.UpstreamRateLimitedError("slow down"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(("spec", "tries", "within_s"), [(PAINT, 4, 11), (FILM, 6, 101)], ids=["picture", "video"])
async def test_fetching_is_repeated_and_longer_for_what_was_paid(
    stage: Stage, spec: object, tries: int, within_s: float, error: Exception
) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture() if spec is PAINT else MP4_HEAD)
    stage.upstream.fail("fetch", error, times=tries - 1)
    await stage.products.keep(account, generation(stage, spec), product)
    assert stage.upstream.count("fetch") == tries
    assert stage.clock.monotonic() < within_s
    stage.upstream.fail("fetch", error, times=None)
    with pytest.raises(type(error)):
        await stage.products.keep(account, generation(stage, spec), product)


async def test_refusal_is_not_repeated(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture())
    stage.upstream.fail("fetch", tree.UpstreamRejectedError("400"))
    with pytest.raises(tree.UpstreamRejectedError):
        await stage.products.keep(account, generation(stage), product)
    assert stage.upstream.count("fetch") == 1


@pytest.mark.parametrize(("spec", "good"), [(PAINT, fake_picture()), (FILM, MP4_HEAD)], ids=["picture", "video"])
@pytest.mark.parametrize("bad", [b"", b"\xff\xd8\xff", b"<html>come back later</html>"], ids=["empty", "short", "page"])
async def test_what_came_in_place_of_the_product_is_fetched_again(
    stage: Stage, spec: object, good: bytes, bad: bytes
) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, bad)
    keeping = asyncio.create_task(stage.products.keep(account, generation(stage, spec), product))
    await stage.clock.sleep(1.0)
    assert not keeping.done()
    assert not stage.world.store.contents
    await planted(stage, good)
    media = await keeping
    assert set(stage.world.store.contents) == {media.sha256}
    assert stage.world.store.contents[media.sha256] == good


@pytest.mark.parametrize(("spec", "tries", "bad"), [(PAINT, 4, b"<html>"), (FILM, 6, fake_picture())])
async def test_what_stays_wrong_is_refused_after_some_tries_and_not_kept(
    stage: Stage, spec: object, tries: int, bad: bytes
) -> None:
    (account,) = await stage.accounts(1)
    with pytest.raises(tree.UpstreamInvalidError):
        await stage.products.keep(account, generation(stage, spec), await planted(stage, bad))
    assert stage.upstream.count("fetch") == tries
    assert not stage.world.store.contents


async def test_wrong_bytes_that_came_along_are_refused_at_once(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    with pytest.raises(tree.UpstreamInvalidError):
        await stage.products.keep(account, generation(stage), Product("p", data=b"<html>"))
    assert stage.clock.monotonic() == 0
    assert not stage.world.store.contents


async def test_bytes_that_come_one_by_one_are_recognised(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, MP4_HEAD)

    async def trickle(access: Access, wanted: Product) -> AsyncIterator[bytes]:
        for place in range(len(MP4_HEAD)):
            yield MP4_HEAD[place : place + 1]

    swap(stage.upstream, fetch=trickle)
    media = await stage.products.keep(account, generation(stage, FILM), product)
    assert stage.world.store.contents[media.sha256] == MP4_HEAD


async def test_cut_in_the_middle_leaves_nothing_behind(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture())
    stage.upstream.fail("fetch", tree.UpstreamUnavailableError("cut", reached=True), after_work=True)
    media = await stage.products.keep(account, generation(stage), product)
    assert set(stage.world.store.contents) == {media.sha256}


@pytest.mark.parametrize(
    ("inputs", "parent"),
    [
        ((), None),
        ((Input("a", InputRole.REFERENCE), Input("b", InputRole.REFERENCE)), "a"),
        ((Input("a", InputRole.START), Input("v", InputRole.SOURCE)), "v"),
    ],
)
async def test_parent_is_the_source_or_the_first_input(
    stage: Stage, inputs: tuple[Input, ...], parent: str | None
) -> None:
    (account,) = await stage.accounts(1)
    media = await stage.products.keep(account, generation(stage, inputs=inputs), Product("p", data=fake_picture()))
    assert media.parent_id == parent


def test_product_survives_being_written_down() -> None:
    product = Product("p", url="https://media.example/p", width=3, height=4, extra='{"a": 1}', seconds=15)
    assert product_from_text(product_to_text(product)) == product
    assert product_from_text(product_to_text(Product("p"))) == Product("p")


def test_product_of_an_older_release_can_be_read() -> None:
    assert product_from_text('{"name": "p", "url": null, "extra": null, "size": [3, 4]}') == Product(
        "p", width=3, height=4
    )


async def test_only_the_beginning_of_a_large_thing_is_remembered(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture("image/png", 640, 480) + bytes(400_000))
    media = await stage.products.keep(account, generation(stage), product)
    assert (media.width, media.size_bytes) == (640, 400_000 + len(fake_picture("image/png")))


class TestAddressToldAnew:
    OPERATION = Operation("operation-9", "{}")

    async def keep(self, stage: Stage, told: Product | Exception | None, first: Product) -> Media:
        """Keep a video whose first address is good for nothing; the status call then tells this of it."""
        (account,) = await stage.accounts(1)
        await planted(stage, b"<html>", "stale")
        await planted(stage, MP4_HEAD, "fresh")
        self.asked: list[str | None] = []

        async def poll(access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
            assert list(operations) == [self.OPERATION]
            if isinstance(told, Exception):
                raise told
            return {} if told is None else {self.OPERATION.name: OperationStatus(product=told)}

        async def fetch(access: Access, product: Product) -> AsyncIterator[bytes]:
            self.asked.append(product.url)
            yield MP4_HEAD if product.url == "https://media.example/fresh" else b"<html>"

        swap(stage.upstream, poll=poll, fetch=fetch)
        return await stage.products.keep(account, generation(stage, FILM, operation=self.OPERATION), first)

    async def test_is_taken_for_the_next_try(self, stage: Stage) -> None:
        first = Product("v", url="https://media.example/stale")
        media = await self.keep(stage, Product("v", url="https://media.example/fresh"), first)
        assert self.asked == ["https://media.example/stale", "https://media.example/fresh"]
        assert media.upstream_name == "v"

    @pytest.mark.parametrize(
        "told",
        [
            None,
            tree.UpstreamUnavailableError("down", reached=True),
            Product("other", url="https://media.example/fresh"),
        ],
        ids=["nothing", "error", "another"],
    )
    async def test_is_not_needed(self, stage: Stage, told: Product | Exception | None) -> None:
        first = Product("v", url="https://media.example/stale")
        with pytest.raises(tree.UpstreamInvalidError):
            await self.keep(stage, told, first)
        assert set(self.asked) == {"https://media.example/stale"}


class TestFullDisk:
    async def test_paid_video_waits_for_room(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        stage.world.store.fault = tree.StorageFullError("full")
        product = await planted(stage, MP4_HEAD)
        keeping = asyncio.create_task(stage.products.keep(account, generation(stage, FILM), product))
        await stage.clock.sleep(20 * 60)
        assert not keeping.done()
        stage.world.store.fault = None
        media = await keeping
        assert stage.clock.monotonic() < 22 * 60
        assert stage.world.store.contents[media.sha256] == MP4_HEAD

    async def test_is_told_once_and_given_up_after_half_an_hour(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        (account,) = await stage.accounts(1)
        stage.world.store.fault = tree.StorageFullError("full")
        with pytest.raises(tree.StorageFullError):
            await stage.products.keep(account, generation(stage, FILM), await planted(stage, MP4_HEAD))
        assert 1800 <= stage.clock.monotonic() < 1900
        assert [record.message for record in caplog.records] == ["a made video cannot be kept yet: full"]

    async def test_picture_is_refused_at_once(self, stage: Stage) -> None:
        (account,) = await stage.accounts(1)
        stage.world.store.fault = tree.StorageFullError("full")
        with pytest.raises(tree.StorageFullError):
            await stage.products.keep(account, generation(stage), await planted(stage, fake_picture()))
        assert stage.clock.monotonic() == 0
