"""What the suite of upstreams arranges behind an upstream's back, and who works for it on the stage."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum

import pytest

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.ports.upstream import Access, UploadedPicture, Upstream
from flow2api.domain.secret import Secret


class Offer(StrEnum):
    """What one service has and another has not. What a service does not offer is not asked of its upstream."""

    EMAIL = "it tells whose account it is"
    ROTATION = "an exchange brings a new session token, and the former ones stay good"
    SHORT_ACCESS = "access tokens die before the session does"
    WORKSPACES = "work belongs to a workspace of the account"
    PLANS = "it tells plan and credits, and spends credits for videos"
    NAMES = "it keeps what it makes under a name"
    UPLOADS = "uploaded pictures belong to the account"
    THUMBNAILS = "videos have thumbnails"
    LATE_FAILURES = "a video may fail after it was accepted, and then costs nothing"
    DELETION = "products can be removed (`DeletesProducts`)"


ALL_OFFERS = frozenset(Offer)


class Backstage(ABC):
    """A service that an upstream speaks to, and the ways in which the suite changes it.

    Attributes:
        upstream: What is examined.
        offers: What the service has.
        unserved: A model that the upstream cannot make.
        picture: A model that makes pictures from words, and takes a reference; None when it makes no pictures.
        video: A model that makes videos from words; None when it makes no videos.
        frames: One that makes videos from a first frame.
        references: One that makes videos from references.
        larger_picture: One that enlarges what ``picture`` has made.
        larger_video: One that enlarges what ``video`` has made.
        refused_prompts: Prompts that the service refuses.
        late_prompt: One that makes a video fail after it was accepted.
        credits: What a new account has, unless the suite says otherwise.
    """

    upstream: Upstream
    offers: frozenset[Offer] = ALL_OFFERS
    unserved: ModelSpec
    picture: ModelSpec | None = None
    video: ModelSpec | None = None
    frames: ModelSpec | None = None
    references: ModelSpec | None = None
    larger_picture: ModelSpec | None = None
    larger_video: ModelSpec | None = None
    refused_prompts: tuple[str, ...] = ("something unsafe", "something filtered")
    late_prompt: str = "a latefail cat"
    credits: int = 1000

    @abstractmethod
    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Credentials:
        """Another account of the service; what an operator would give us for it."""

    def made_up(self, secret: str) -> Credentials:
        """Credentials of this form that the service has never given to anybody."""
        return Credentials(Secret(secret))

    @abstractmethod
    async def revoke(self, credentials: Credentials) -> None:
        """The service takes these credentials no more."""

    async def kill_access(self, credentials: Credentials) -> None:
        """The account's access tokens are taken no more, while its session is. Only with `Offer.SHORT_ACCESS`."""
        raise NotImplementedError

    async def let_videos_take(self, seconds: float) -> None:
        """From now on a video takes so long. Only where there are videos."""
        raise NotImplementedError

    async def pass_time(self, seconds: float) -> None:
        """Let the service's time pass. Only where there are videos."""
        raise NotImplementedError

    def has(self, *offers: Offer) -> None:
        """Skip the test unless the service offers all of these."""
        for offer in offers:
            if offer not in self.offers:
                pytest.skip(f"not offered: {offer}")

    def makes(self, what: str) -> ModelSpec:
        """The model of this name among the attributes; the test is skipped when there is none."""
        spec: ModelSpec | None = getattr(self, what)
        if spec is None:
            pytest.skip(f"it has no model for {what}")
        return spec


@dataclass
class Worker:
    """An account at work."""

    upstream: Upstream
    backstage: Backstage
    credentials: Credentials
    access: Access

    async def upload(self) -> str:
        """The handle of a small picture."""
        return await self.upstream.upload(self.access, UploadedPicture(SMALL_JPEG, "image/jpeg", 8, 8))

    async def outcome(self, operation: Operation) -> OperationStatus:
        """How an operation stands once its time is over."""
        await self.backstage.pass_time(60)
        return (await self.upstream.poll(self.access, [operation]))[operation.name]

    async def filmed(self, order: Order) -> Product | None:
        """What came of a video.

        Raises:
            Exception: Why none came of it, whether it was refused at once or failed in the end.
        """
        operation, _ = await self.upstream.submit(self.access, order)
        status = await self.outcome(operation)
        if status.error is not None:
            raise status.error
        return status.product

    async def has_all_its_credits(self) -> bool:
        """Whether nothing was spent, as far as the service tells."""
        left = (await self.upstream.allowance(self.access)).credits
        return Offer.PLANS not in self.backstage.offers or left == self.backstage.credits


async def hire(backstage: Backstage, *, tier: Tier = Tier.PRO, credit: int | None = None) -> Worker:
    """A new account that has signed in and has a workspace."""
    if backstage.video is not None:
        await backstage.let_videos_take(30)
    credentials = await backstage.new_account(tier=tier, credit=credit)
    exchanged = await backstage.upstream.exchange(credentials, None)
    access = Access(
        account_id=1,
        session_token=exchanged.credentials.session_token,
        access_token=exchanged.credentials.access_token,
        tier=tier,
        base_url=credentials.base_url,
    )
    workspace = await backstage.upstream.open_workspace(access, "contract")
    return Worker(backstage.upstream, backstage, credentials, replace(access, workspace=workspace))


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    """Everything that comes."""
    return b"".join([chunk async for chunk in chunks])


SMALL_JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb00430050373c463c32504641465a55505f78c882786e6e78f5afb991"
    "c8ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc0000b08000800080101"
    "1100ffc40014000100000000000000000000000000000000ffc40014100100000000000000000000000000000000ffda0008"
    "010100003f003fffd9"
)
"""A picture of eight by eight pixels, in one colour."""
