"""The upstream keeps what every upstream promises; its pictures are pictures, in the colour that was asked for."""

import io
from dataclasses import replace
from itertools import count

import flow2api_swatch
import pytest
from flow2api_swatch import register_models, register_upstreams
from flow2api_swatch.service import KEPT_UPLOADS, NAMED, PaintShop, colour_of
from flow2api_swatch.upstream import SwatchUpstream
from PIL import Image

from flow2api.domain.account import CredentialKind, Credentials, Tier
from flow2api.domain.catalog import ModelCatalog, ModelSpec, Wish
from flow2api.domain.errors import ContentBlockedError, CredentialExpiredError, UpstreamNotFoundError
from flow2api.domain.generation import InputRole, Order
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.extensions import load_extensions
from flow2api.testing.contracts import Backstage, Offer, UpstreamContract
from flow2api.testing.contracts.backstage import hire
from flow2api.testing.factories import video_spec
from flow2api.testing.fakes.clock import FakeClock

MODELS = {entry.name: entry for entry in register_models() if isinstance(entry, ModelSpec)}


class SwatchBackstage(Backstage):
    """Behind the back of the paint shop, which is in this process."""

    offers = frozenset({Offer.UPLOADS})
    picture = MODELS["swatch-square"]
    unserved = video_spec()

    def __init__(self) -> None:
        self.shop = PaintShop(("unsafe", "filtered"))
        self.upstream = SwatchUpstream(self.shop, FakeClock())
        self._numbers = count(1)

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Credentials:
        return Credentials(Secret(f"swatch-key-{next(self._numbers)}"))

    async def revoke(self, credentials: Credentials) -> None:
        self.shop.revoked.add(credentials.session_token.reveal())


class TestSwatchUpstream(UpstreamContract):
    @pytest.fixture
    def backstage(self) -> Backstage:
        return SwatchBackstage()


@pytest.mark.parametrize("name", MODELS)
async def test_picture_has_the_size_of_the_model_and_the_colour_of_the_prompt(name: str) -> None:
    worker = await hire(SwatchBackstage())
    spec = MODELS[name]

    (product,) = await worker.upstream.produce(worker.access, Order(spec=spec, prompt="A Teal, please."))

    assert product.data is not None
    picture = Image.open(io.BytesIO(product.data))
    assert picture.size == (spec.size.width, spec.size.height)
    assert picture.convert("RGB").getcolors() == [(spec.size.area, NAMED["teal"])]


def test_words_without_a_colour_have_always_the_same_one() -> None:
    assert colour_of("a mug") == colour_of("a mug")
    assert len({colour_of("a mug", variant) for variant in range(4)}) == 4


async def test_revoked_key_is_refused_at_work() -> None:
    stage = SwatchBackstage()
    worker = await hire(stage)
    await stage.revoke(worker.credentials)

    with pytest.raises(CredentialExpiredError):
        await worker.upstream.produce(worker.access, Order(spec=MODELS["swatch-square"], prompt="red"))
    with pytest.raises(CredentialExpiredError):
        await worker.upstream.allowance(replace(worker.access, access_token=None))


async def test_oldest_upload_gives_way() -> None:
    worker = await hire(SwatchBackstage())
    handles = [await worker.upload() for _ in range(KEPT_UPLOADS + 1)]

    async def use(handle: str) -> None:
        inputs = ((InputRole.REFERENCE, handle),)
        await worker.upstream.produce(worker.access, Order(spec=MODELS["swatch-square"], prompt="red", inputs=inputs))

    await use(handles[-1])
    with pytest.raises(UpstreamNotFoundError):
        await use(handles[0])


def test_models_are_registered_with_a_name_for_both() -> None:
    catalog = ModelCatalog(tuple(register_models()))

    assert catalog.resolve("swatch", Wish(picture_ratio=1.9, pictures=1)).spec.name == "swatch-landscape"
    assert all(spec.is_free for spec in MODELS.values())


def test_is_registered_by_its_name_and_its_accounts_have_keys() -> None:
    (factory,) = register_upstreams()

    assert (factory.name, factory.credential) == ("swatch", CredentialKind.API_KEY)


async def test_words_of_the_section_are_refused() -> None:
    found, sections = load_extensions(extra={"upstream_swatch": flow2api_swatch}).checked(
        {"swatch": {"refused_words": "beige, "}}
    )
    upstream = found.upstreams["swatch"].build(sections["swatch"], FakeClock())
    key = Secret("swatch-key")
    access = Access(account_id=1, session_token=key, access_token=key, tier=Tier.FREE)

    with pytest.raises(ContentBlockedError, match="beige"):
        await upstream.produce(access, Order(spec=MODELS["swatch-square"], prompt="something beige"))
    assert await upstream.produce(access, Order(spec=MODELS["swatch-square"], prompt="something unsafe"))


def test_unknown_setting_leaves_the_plugin_out() -> None:
    found, _ = load_extensions(extra={"upstream_swatch": flow2api_swatch}).checked({"swatch": {"forbidden": "beige"}})

    assert "refused_words" in str(found.left_out[0].error)
