from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flow2api.adapters.admin_api.token_views import MASK, limit_of, limits_of, token_view
from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, RestReason, Streak, Tier
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret
from flow2api.domain.statistics import Counts

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BARE = Account(id=7, upstream="flow", name="Ada", created_at=NOW)


def view(account: Account, **given: object) -> dict[str, object]:
    basis: dict[str, object] = {"used": {}, "last_used": {}, "secrets": None, **given}
    shown = token_view(account, NOW, **basis)  # type: ignore[arg-type]
    return {name: getattr(shown, name) for name in shown.__struct_fields__}


@pytest.mark.parametrize(
    ("enabled", "concurrency", "before", "after"),
    [
        (None, None, 3, 3),
        (None, None, None, None),
        (None, None, 0, 0),
        (True, None, 0, None),
        (True, None, 3, 3),
        (False, None, 3, 0),
        (False, 5, 3, 0),
        (True, 5, 0, 5),
        (None, 5, 3, 5),
        (None, 5, 0, 0),
        (None, -1, 3, None),
        (True, -1, 0, None),
    ],
)
def test_slots_follow_what_a_tool_says(
    enabled: bool | None, concurrency: int | None, before: int | None, after: int | None
) -> None:
    assert limit_of(enabled=enabled, concurrency=concurrency, before=before) == after


def test_new_account_is_shown_with_nothing_invented() -> None:
    shown = view(BARE)

    assert (shown["st"], shown["at"], shown["token"], shown["at_expires"]) == (MASK, None, None, None)
    assert (shown["email"], shown["credits"], shown["user_paygate_tier"]) == ("", 0, None)
    assert (shown["image_enabled"], shown["image_concurrency"]) == (True, -1)
    assert (shown["is_active"], shown["ban_reason"], shown["last_used_at"]) == (True, None, None)


def test_account_at_work_is_shown_whole() -> None:
    account = replace(
        BARE,
        email="ada@example.org",
        tier=Tier.ULTRA,
        credits=50,
        capacity=Capacity(4, 0),
        access_expires_at=NOW + timedelta(minutes=30),
        streaks=(Streak(None, 2),),
    )
    shown = view(account, used={7: Counts(images=3, videos=2, errors=1)}, last_used={7: NOW})

    assert (shown["user_paygate_tier"], shown["credits"]) == ("PAYGATE_TIER_TWO", 50)
    assert (shown["image_concurrency"], shown["video_concurrency"], shown["video_enabled"]) == (4, -1, False)
    assert (shown["use_count"], shown["image_count"], shown["video_count"], shown["error_count"]) == (5, 3, 2, 1)
    assert (shown["consecutive_error_count"], shown["last_used_at"]) == (2, NOW)
    assert (shown["at_expired"], shown["at_expiring_within_1h"]) == (False, True)


def test_account_that_rests_says_why_and_until_when() -> None:
    shown = view(BARE.rate_limited(NOW, retry_after_s=60))
    assert (shown["is_active"], shown["ban_reason"]) == (False, "429_rate_limit")
    assert (shown["banned_at"], shown["banned_until"]) == (NOW, NOW + timedelta(seconds=60))

    shown = view(BARE.resting(RestReason.AUTH_EXPIRED, NOW))
    assert (shown["ban_reason"], shown["banned_until"], shown["status"]) == ("auth_expired", None, "suspended")


def test_rest_of_one_model_leaves_the_account_active() -> None:
    assert view(BARE.rate_limited(NOW, retry_after_s=60, model="veo"))["is_active"] is True


def test_secrets_are_shown_only_when_they_are_given() -> None:
    credentials = Credentials(Secret("session"), Secret("access"))

    assert view(BARE, secrets={7: credentials})["st"] == "session"
    assert view(BARE, secrets={7: credentials})["token"] == "access"
    assert view(BARE, secrets={})["st"] is None


def test_kind_that_nobody_names_is_left_to_others() -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("image_enabled", "video_enabled", "image_concurrency", "video_concurrency")
    )

    assert limits_of(Capacity(3, 4), **nothing) == {}
    assert limits_of(Capacity(3, 4), **{**nothing, "video_concurrency": 2}) == {MediaKind.VIDEO: 2}
    assert limits_of(Capacity(0, 4), **{**nothing, "image_enabled": True}) == {MediaKind.IMAGE: None}


def test_account_with_a_key_has_no_session_token() -> None:
    account = replace(BARE, upstream="hosts", base_url="https://a.b", access_expires_at=NOW)
    credentials = Credentials(Secret("k1"), Secret("k1"), NOW, NOW)
    kind = CredentialKind.API_KEY_AND_BASE_URL

    masked, revealed = view(account, kind=kind), view(account, kind=kind, secrets={7: credentials})

    assert (masked["upstream"], masked["base_url"], masked["api_key"]) == ("hosts", "https://a.b", MASK)
    assert revealed["api_key"] == "k1"
    assert [shown[name] for shown in (masked, revealed) for name in ("st", "at", "token")] == [None] * 6
