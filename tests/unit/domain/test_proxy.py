from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.proxy import (
    REFUSALS_BEFORE_SUSPICION,
    Proxy,
    ProxyHealth,
    ProxyState,
    Standing,
    check_name,
    read_proxy_url,
    usable,
)
from flow2api.domain.secret import Secret

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def proxy_of(state: ProxyState, *, is_enabled: bool = True) -> Proxy:
    return Proxy(
        id=1,
        name=f"{state}-{is_enabled}",
        url=Secret("http://192.0.2.1:1"),
        address="http://192.0.2.1:1",
        created_at=NOW,
        is_enabled=is_enabled,
        health=ProxyHealth(state=state),
    )


@pytest.mark.parametrize(
    ("text", "url", "address"),
    [
        ("http://192.0.2.1:8080", "http://192.0.2.1:8080", "http://192.0.2.1:8080"),
        (" HTTPS://Proxy.Example:443/ ", "https://proxy.example:443", "https://proxy.example:443"),
        ("socks5://u:p@proxy.example:1080", "socks5://u:p@proxy.example:1080", "socks5://proxy.example:1080"),
        ("socks5h://u@[2001:db8::1]:1080", "socks5h://u:@[2001:db8::1]:1080", "socks5h://[2001:db8::1]:1080"),
        ("http://a%40b:c%2Fd@p:1", "http://a%40b:c%2Fd@p:1", "http://p:1"),
        ("http://a@b:c@p:1", "http://a%40b:c@p:1", "http://p:1"),
    ],
)
def test_url_is_kept_whole_and_shown_without_credentials(text: str, url: str, address: str) -> None:
    kept, shown = read_proxy_url(text)

    assert (kept.reveal(), shown) == (url, address)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("socks://canary:canary@p:1", "Did you mean socks5"),
        ("sock5h://canary:canary@p:1", "Did you mean socks5h"),
        ("ftp://canary:canary@p:1", "ftp://"),
        ("socks4://canary:canary@p:1", "http, https, socks5 or socks5h"),
        ("canary.example:8080", "no scheme"),
    ],
)
def test_unknown_scheme_is_refused_with_the_valid_ones(text: str, hint: str) -> None:
    with pytest.raises(UnsupportedInputError) as refusal:
        read_proxy_url(text)

    assert hint in refusal.value.message
    assert "socks5h" in refusal.value.message
    assert "canary:canary" not in refusal.value.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://p",
        "http://p:0",
        "http://p:99999",
        "http://:80",
        "http://canary:can/ary@p:1",
        "http://p:1/path",
        "http://p:1?q=canary",
        "http://p:1#canary",
        "http://p :1",
        "http://p:1\r\nX-Injected: 1",
        "http://canary%0d%0a:x@p:1",
        f"http://u:{'x' * 256}@p:1",
        f"http://{'p' * 3000}:1",
        "http://[::1:80",
    ],
)
def test_what_is_no_url_of_a_proxy_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UnsupportedInputError) as refusal:
        read_proxy_url(text)

    assert "canary" not in refusal.value.message


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        kept, shown = read_proxy_url(text)
    except UnsupportedInputError:
        return
    assert read_proxy_url(kept.reveal()) == (kept, shown)


@pytest.mark.parametrize("name", ["", "-x", "a b", "direct", "global", "a" * 65, "x\n", "ä", "a/b"])
def test_name_that_could_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedInputError) as refusal:
        check_name(name, "pool")
    assert refusal.value.param == "pool"


def test_certain_failure_takes_a_proxy_down_at_once_and_a_success_brings_it_back() -> None:
    health = ProxyHealth().worked(NOW, latency_ms=20, egress="192.0.2.7")
    down = health.failed(LATER, "It is closed.", is_certain=True)

    assert (down.state, down.failures, down.since, down.fault) == (ProxyState.DOWN, 1, LATER, "It is closed.")
    assert down.failed(LATER, "Too late.", is_certain=False).state is ProxyState.DOWN
    back = down.worked(LATER + timedelta(minutes=1), latency_ms=30)
    assert back == replace(
        health, since=LATER + timedelta(minutes=1), checked_at=LATER + timedelta(minutes=1), latency_ms=30
    )


def test_failures_that_may_be_the_targets_make_a_suspect_only_when_they_come_in_a_row() -> None:
    health = ProxyHealth().worked(NOW)
    for _ in range(REFUSALS_BEFORE_SUSPICION - 1):
        health = health.failed(LATER, "No way.", is_certain=False)
    assert health.state is ProxyState.HEALTHY
    assert health.worked(LATER).failures == 0

    assert health.failed(LATER, "No way.", is_certain=False).state is ProxyState.SUSPECT


def test_suspects_are_used_when_there_is_no_better_one_and_dead_or_disabled_ones_never() -> None:
    good, unknown, suspect, down = (
        proxy_of(state) for state in (ProxyState.HEALTHY, ProxyState.UNKNOWN, ProxyState.SUSPECT, ProxyState.DOWN)
    )
    disabled = proxy_of(ProxyState.HEALTHY, is_enabled=False)

    assert usable([down, suspect, good, disabled, unknown]) == (good, unknown)
    assert usable([down, suspect, disabled]) == (suspect,)
    assert usable([down, disabled]) == ()
    assert usable([]) == ()
    assert disabled.standing is Standing.UNUSABLE
