"""Nobody is led inside through a picture's address: a canary on the loopback counts every connection."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest

from flow2api.adapters.fetch import GuardedFetcher
from flow2api.adapters.fetch.addresses import Address
from flow2api.domain.errors import UnsupportedInputError
from flow2api.testing.fakes.media import fake_picture
from tests.integration.fetch.tls_server import Authority, Server, body, redirect, serving
from tests.unit.adapters.fetch.samples import INNER

INSIDE, OUTSIDE = IPv4Address("127.0.0.1"), IPv4Address("127.0.0.2")
PICTURE = fake_picture()
HOST = "pictures.example"

HOSTILE = [
    # other schemes, or none
    "http://{host}:{port}/",
    "http://127.0.0.1:{port}/",
    "ftp://{host}:{port}/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "gopher://127.0.0.1:{port}/_GET",
    "dict://127.0.0.1:{port}/info",
    "ldap://127.0.0.1:{port}/",
    "jar:https://{host}:{port}/!/",
    "unix:///run/docker.sock",
    "javascript:alert(1)",
    "//{host}:{port}/",
    "{host}:{port}/",
    "",
    "https",
    "https:",
    "https:/{host}:{port}/",
    "https:{host}:{port}/",
    "https:///{host}:{port}/",
    "https://",
    "https://:{port}/",
    "https://?{host}",
    "https://#{host}",
    # addresses in every dress
    "https://127.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://2130706433:{port}/",
    "https://017700000001:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://127.0.0.0x1:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://169.254.169.254:{port}/latest/meta-data/",
    "https://8.8.8.8:{port}/",
    "https://\uff11\uff12\uff17.0.0.1:{port}/",
    "https://127\u30020\u30020\u30021:{port}/",
    "https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:{port}/",
    # names that mean the inside
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://a.localhost:{port}/",
    "https://printer.local:{port}/",
    "https://metadata.google.internal:{port}/computeMetadata/v1/",
    "https://metadata:{port}/",
    "https://router.lan:{port}/",
    "https://nas.home.arpa:{port}/",
    "https://kubernetes.default.svc.cluster.local:{port}/",
    # parts that programs read differently
    "https://user@{host}:{port}/",
    "https://user:word@{host}:{port}/",
    "https://@{host}:{port}/",
    "https://{host}@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}@{host}:{port}/",
    "https://{host}:{port}@127.0.0.1/",
    "https://{host}:{port}\\@127.0.0.1/",
    "https://{host}\\.inner:{port}/",
    "https:\\\\{host}:{port}/",
    "https://{host}:{port}/\t",
    "https://{host}:{port}/a\r\nHost: inner",
    "https://{host}\n:{port}/",
    "https://{host}:{port}/a b",
    " https://{host}:{port}/",
    "https://{host}:{port} /",
    "https://{host}:{port}\x00/",
    "https://{host}\x00.inner:{port}/",
    "https://{host}%00:{port}/",
    "https://%31%32%37.0.0.1:{port}/",
    "https://pictures%2eexample:{port}/",
    "https://pictures..example:{port}/",
    "https://.pictures.example:{port}/",
    "https://pictures.example.:{port}/",
    "https://-pictures.example:{port}/",
    "https://pictures-.example:{port}/",
    "https://pictures.example;{port}/",
    "https://pictures.example,inner:{port}/",
    "https://pictures.exam\u00adple:{port}/",
    "https://pictures.exampl\u0435:{port}/",
    "https://b\u00fccher.example:{port}/",
    "https://pictures.example\u2044inner:{port}/",
    "https://pictures.example\uff0finner:{port}/",
    "https://pictures.example\u2028:{port}/",
    "https://$(hostname).example:{port}/",
    "https://*.example:{port}/",
    "https://" + "a" * 64 + ".example:{port}/",
    "https://" + "a." * 130 + "example:{port}/",
    "https://{host}:{port}/" + "a" * 9000,
    # other ports
    "https://{host}:22/",
    "https://{host}:80/",
    "https://{host}:0/",
    "https://{host}:65536/",
    "https://{host}:-1/",
    "https://{host}:/",
    "https://{host}:0{port}/",
    "https://{host}:{port}:{port}/",
    "https://{host}:port/",
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made_in(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def canary(authority: Authority) -> AsyncIterator[Server]:
    """Would answer every question with a picture, if only it were asked."""
    async with serving(authority.context_for(HOST, "inner.example", "localhost", "127.0.0.1")) as inside:
        inside.replies |= {"/": body(PICTURE), "/a.png": body(PICTURE)}
        yield inside
        await asyncio.sleep(0)


class Names:
    """A resolver that plays a script: the n-th question about a host gets the n-th answer, then the last for ever."""

    def __init__(self, **answers: Sequence[Sequence[Address]]) -> None:
        self.answers = {host.replace("_", "."): list(script) for host, script in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[Address]:
        self.asked.append(host)
        script = self.answers.get(host, [[INSIDE]])
        return script.pop(0) if len(script) > 1 else script[0]


async def refused(fetcher: GuardedFetcher, url: str) -> tuple[str, str]:
    with pytest.raises(UnsupportedInputError) as caught:
        await fetcher.fetch(url, param="image_url")
    assert caught.value.param == "image_url"
    return caught.value.code, caught.value.message


def test_table_is_long_enough() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize("form", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_address_is_refused_for_how_it_is_written(
    canary: Server, authority: Authority, form: str
) -> None:
    """Every name would lead to the canary and every address would be allowed: only the reading of it protects."""
    names = Names()
    fetcher = GuardedFetcher(
        resolver=names, allow=lambda _: True, ca_bundle=authority.bundle, port=canary.port, timeout_s=2
    )

    code, _ = await refused(fetcher, form.replace("{host}", HOST).replace("{port}", str(canary.port)))

    assert code == "invalid_image_url"
    assert (names.asked, canary.connections) == ([], 0)


@pytest.mark.parametrize("address", INNER)
async def test_name_of_an_inner_address_is_refused(canary: Server, authority: Authority, address: str) -> None:
    fetcher = GuardedFetcher(
        resolver=Names(pictures_example=[[ip_address(address)]]), ca_bundle=authority.bundle, port=canary.port
    )

    code, message = await refused(fetcher, f"https://{HOST}:{canary.port}/")

    assert code == "invalid_image_url"
    assert address not in message
    assert canary.connections == 0


async def test_one_inner_address_among_public_ones_spoils_them(canary: Server, authority: Authority) -> None:
    mixed = [ip_address("1.1.1.1"), INSIDE]
    for addresses in (mixed, mixed[::-1]):
        fetcher = GuardedFetcher(
            resolver=Names(pictures_example=[addresses]), ca_bundle=authority.bundle, port=canary.port
        )
        assert (await refused(fetcher, f"https://{HOST}:{canary.port}/"))[0] == "invalid_image_url"

    assert canary.connections == 0


async def test_what_does_not_exist_reads_like_what_is_refused(canary: Server, authority: Authority) -> None:
    fetcher = GuardedFetcher(
        resolver=Names(pictures_example=[[]], inner_example=[[INSIDE]]), ca_bundle=authority.bundle, port=canary.port
    )

    answers = {await refused(fetcher, f"https://{host}:{canary.port}/") for host in (HOST, "inner.example")}

    assert len(answers) == 1


async def test_connects_to_the_address_that_was_checked(canary: Server, authority: Authority) -> None:
    """A name that changes between check and use: the second answer is never asked for."""
    names = Names(pictures_example=[[OUTSIDE], [INSIDE]])
    async with serving(authority.context_for(HOST), str(OUTSIDE), canary.port) as outside:
        outside.replies["/a.png"] = body(PICTURE)
        fetcher = GuardedFetcher(
            resolver=names, allow=lambda ip: ip == OUTSIDE, ca_bundle=authority.bundle, port=canary.port
        )

        assert await fetcher.fetch(f"https://{HOST}:{canary.port}/a.png", param="image_url") == PICTURE
        assert (names.asked, outside.connections, canary.connections) == ([HOST], 1, 0)

        code, _ = await refused(fetcher, f"https://{HOST}:{canary.port}/a.png")
        assert (code, outside.connections, canary.connections) == ("invalid_image_url", 1, 0)


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
@pytest.mark.parametrize(
    "location",
    [
        "https://inner.example:{port}/",
        "//inner.example:{port}/",
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "http://inner.example:{port}/",
        "http://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "https://pictures.example@127.0.0.1:{port}/",
        "https://pictures.example:{port}\\@127.0.0.1/",
    ],
)
async def test_redirect_leads_nobody_inside(canary: Server, authority: Authority, location: str, status: str) -> None:
    async with serving(authority.context_for(HOST), str(OUTSIDE), canary.port) as outside:
        outside.replies["/a.png"] = redirect(location.replace("{port}", str(canary.port)), status=status)
        fetcher = GuardedFetcher(
            resolver=Names(pictures_example=[[OUTSIDE]]),
            allow=lambda ip: ip == OUTSIDE,
            ca_bundle=authority.bundle,
            port=canary.port,
        )

        code, _ = await refused(fetcher, f"https://{HOST}:{canary.port}/a.png")

        assert (code, outside.connections, canary.connections) == ("invalid_image_url", 1, 0)


async def test_redirect_to_itself_is_checked_anew(canary: Server, authority: Authority) -> None:
    async with serving(authority.context_for(HOST), str(OUTSIDE), canary.port) as outside:
        outside.replies["/a.png"] = redirect("/b.png")
        fetcher = GuardedFetcher(
            resolver=Names(pictures_example=[[OUTSIDE], [INSIDE]]),
            allow=lambda ip: ip == OUTSIDE,
            ca_bundle=authority.bundle,
            port=canary.port,
        )

        assert (await refused(fetcher, f"https://{HOST}:{canary.port}/a.png"))[0] == "invalid_image_url"
        assert canary.connections == 0


async def test_uses_no_proxy_and_no_credentials_of_the_environment(
    canary: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    monkeypatch.setenv("HOME", str(tmp_path))
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {HOST} login canary password canary\ndefault login canary password canary\n")
    netrc.chmod(0o600)
    async with serving(authority.context_for(HOST), str(OUTSIDE), canary.port) as outside:
        outside.replies["/a.png"] = body(PICTURE)
        fetcher = GuardedFetcher(
            resolver=Names(pictures_example=[[OUTSIDE]]),
            allow=lambda ip: ip == OUTSIDE,
            ca_bundle=authority.bundle,
            port=canary.port,
        )

        assert await fetcher.fetch(f"https://{HOST}:{canary.port}/a.png", param="image_url") == PICTURE
        assert "authorization" not in outside.requests[0].lower()
        assert canary.connections == 0


async def test_default_fetcher_refuses_the_loopback_by_the_systems_own_names() -> None:
    for url in ("https://localhost/", "https://localhost.localdomain/", "https://ip6-localhost/", "https://127.0.0.1/"):
        assert (await refused(GuardedFetcher(), url))[0] == "invalid_image_url"
