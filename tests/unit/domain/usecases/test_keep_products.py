"""Fetching what was made: repeated while that helps, and looked at before it is believed."""

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.generation import Generation, Input, InputRole, Product
from flow2api.domain.usecases.keep_products import product_from_text, product_to_text
from tests.fakes.media import fake_picture
from tests.fakes.upstream import MP4_HEAD
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage


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


@pytest.mark.parametrize(("spec", "data"), [(PAINT, b"<html>"), (PAINT, MP4_HEAD), (FILM, fake_picture()), (FILM, b"")])
async def test_what_is_not_what_was_ordered_is_refused(stage: Stage, spec: object, data: bytes) -> None:
    (account,) = await stage.accounts(1)
    with pytest.raises(tree.UpstreamInvalidError):
        await stage.products.keep(account, generation(stage, spec), await planted(stage, data))


async def test_cut_in_the_middle_leaves_nothing_behind(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture())
    stage.upstream.fail("fetch", tree.UpstreamUnavailableError("cut", reached=True), after_work=True)
    media = await stage.products.keep(account, generation(stage), product)
    assert set(stage.world.store.contents) == {media.sha256}


async def test_full_disk_is_told(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    stage.world.store.fault = tree.StorageFullError("full")
    with pytest.raises(tree.StorageFullError):
        await stage.products.keep(account, generation(stage), await planted(stage, fake_picture()))


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
    product = Product("p", url="https://media.example/p", width=3, height=4, extra='{"a": 1}')
    assert product_from_text(product_to_text(product)) == product
    assert product_from_text(product_to_text(Product("p"))) == Product("p")


async def test_only_the_beginning_of_a_large_thing_is_remembered(stage: Stage) -> None:
    (account,) = await stage.accounts(1)
    product = await planted(stage, fake_picture("image/png", 640, 480) + bytes(400_000))
    media = await stage.products.keep(account, generation(stage), product)
    assert (media.width, media.size_bytes) == (640, 400_000 + len(fake_picture("image/png")))
