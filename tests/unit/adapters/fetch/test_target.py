import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.adapters.fetch.target import RefusedTargetError, Target


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://pictures.example", "pictures.example", "/"),
        ("https://pictures.example/", "pictures.example", "/"),
        ("HTTPS://Pictures.Example:443/A.png", "pictures.example", "/A.png"),
        ("https://pictures.example?size=1", "pictures.example", "/?size=1"),
        ("https://pictures.example/a.png?b=c&d=%20e#f", "pictures.example", "/a.png?b=c&d=%20e"),
        ("https://xn--bcher-kva.example/a", "xn--bcher-kva.example", "/a"),
        ("https://a_b.c-d.pictures.example/a", "a_b.c-d.pictures.example", "/a"),
        ("https://1.2.3.4.example/a", "1.2.3.4.example", "/a"),
        ("https://pictures.example/图 片".replace(" ", ""), "pictures.example", "/%E5%9B%BE%E7%89%87"),
        ("https://pictures.example/a@b:c/[d]|e", "pictures.example", "/a@b:c/[d]|e"),
        ('https://pictures.example/"<>^`{}', "pictures.example", "/%22%3C%3E%5E%60%7B%7D"),
        ("https://pictures.example/../../etc/passwd", "pictures.example", "/../../etc/passwd"),
    ],
)
def test_reads_the_address_of_a_public_host(url: str, host: str, path: str) -> None:
    assert Target.parse(url) == Target(host, 443, path)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://other.example/b", "https://other.example:443/b"),
        ("//other.example/b", "https://other.example:443/b"),
        ("/b?c", "https://pictures.example:443/b?c"),
        ("b.png", "https://pictures.example:443/folder/b.png"),
        ("../b.png", "https://pictures.example:443/b.png"),
        ("?c=d", "https://pictures.example:443/folder/a.png?c=d"),
        ("/日本", "https://pictures.example:443/%E6%97%A5%E6%9C%AC"),
    ],
)
def test_follows_a_location(location: str, url: str) -> None:
    assert Target.parse("https://pictures.example/folder/a.png").redirected(location).url == url


@pytest.mark.parametrize(
    "location",
    [
        "http://pictures.example/b",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::1/",
        "//localhost/",
        "file:///etc/passwd",
        "gopher://pictures.example/",
        "https://other.example\\@inner.local/",
        "ht\ntps://127.0.0.1/",
        "\thttps://127.0.0.1/",
        "https://a@other.example/",
        "https://other.example:8443/",
        "javascript:alert(1)",
    ],
)
def test_refuses_a_location_that_leads_astray(location: str) -> None:
    with pytest.raises(RefusedTargetError):
        Target.parse("https://pictures.example/folder/a.png").redirected(location)


def test_keeps_to_its_one_port() -> None:
    assert Target.parse("https://pictures.example:8443/a", 8443).url == "https://pictures.example:8443/a"
    for url, port in [("https://pictures.example/a", 8443), ("https://pictures.example:443/a", 8443)]:
        with pytest.raises(RefusedTargetError):
            Target.parse(url, port)


@given(st.text(max_size=60))
def test_any_text_is_a_plain_target_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://pictures.example/{text}"):
        try:
            target = Target.parse(url)
        except RefusedTargetError:
            continue
        assert target.url.isascii()
        assert target.url.isprintable()
        assert " " not in target.url
        assert Target.parse(target.url) == target
