import pytest

from flow2api.domain.base_url import check_base_setting, read_base_url
from flow2api.domain.errors import ConfigurationError, UnsupportedInputError


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://media.example.org/v1", "https://media.example.org/v1"),
        (" https://Media.Example.ORG/v1/ \n", "https://media.example.org/v1"),
        ("HTTPS://media.example.org", "https://media.example.org"),
        ("https://media.example.org///", "https://media.example.org"),
        ("https://10.0.0.5:8443/Media/v1", "https://10.0.0.5:8443/Media/v1"),
        ("https://gateway:8000", "https://gateway:8000"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://127.0.0.2:8000", "http://127.0.0.2:8000"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_address_is_kept_in_one_form(text: str, read: str) -> None:
    assert read_base_url(text) == read
    assert read_base_url(read) == read


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("  ", "is empty"),
        ("https://a.b/" + "x" * 1100, "more than 1,024 characters"),
        ("https://canary:canary@a.b/v1", "no credentials, no query and no fragment"),
        ("https://a.b/v1?key=canary", "no credentials, no query and no fragment"),
        ("https://a.b/v1#canary", "no credentials, no query and no fragment"),
        ("media.example.org/v1", "no http or https address"),
        ("ftp://a.b", "no http or https address"),
        ("https://", "no http or https address"),
        ("https://a.b/v1/../admin", "no http or https address"),
        ("https://a.b/v1/%2E%2e/admin", "no http or https address"),
        ("https://a.b\\@c.d", "no credentials"),
        ("https://a.b\\c", "no http or https address"),
        ("https://a.b/v 1", "no http or https address"),
        ("https://a.b\r\nx: y", "no http or https address"),
        ("https://bücher.example", "no http or https address"),
        ("https://a.b:99999", "a port that cannot be"),
        ("https://a.b:0", "a port that cannot be"),
        ("https://...", "names no host"),
        ("https://[::12345]", "names no host"),
        ("http://media.example.org", "has to be https"),
        ("http://10.0.0.5", "has to be https"),
        ("http://localhost.example.org", "has to be https"),
        ("http://[fd00::1]", "has to be https"),
    ],
)
def test_address_that_must_not_get_a_key_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UnsupportedInputError, match=problem) as caught:
        read_base_url(text)
    assert caught.value.param == "base_url"
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://media.example.org/v1", "/v1"),
        ("https://media.example.org", ""),
        ("https://media.example.org:8443/fx/api", "/fx/api"),
        ("http://127.0.0.1:9000/v1", "/v1"),
        ("http://localhost/v1", "/v1"),
        ("http://[::1]:9000/", "/"),
    ],
)
def test_setting_may_be_https_or_on_this_machine(address: str, path: str) -> None:
    assert check_base_setting("house.base_url", address, "keys") == path


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://media.example.org:port/", "is no address"),
        ("https://[::1/", "is no address"),
        ("media.example.org/v1", "http or https address"),
        ("ftp://media.example.org/", "http or https address"),
        ("https:///v1", "http or https address"),
        ("https://somebody@media.example.org/", "without credentials"),
        ("https://media.example.org/?page=1", "without credentials or query"),
        ("https://media.example.org/#top", "without credentials or query"),
        ("http://media.example.org/", "has to be https: keys go there"),
    ],
)
def test_setting_that_cannot_be_is_named_with_the_reason(address: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^The setting `house.base_url`.*{told}"):
        check_base_setting("house.base_url", address, "keys")


@pytest.mark.parametrize(
    "text", ["http://media:8000/v1", "http://MEDIA/v1", "http://10.0.0.5", "http://[fd00::1]:8000", "http://media./v1"]
)
def test_host_that_is_named_may_be_asked_over_plain_http(text: str) -> None:
    assert read_base_url(text, ["Media", "10.0.0.5", "fd00:0::1"]) == text.replace("MEDIA", "media")


@pytest.mark.parametrize("text", ["http://media.example.org", "http://10.0.0.6", "http://xmedia"])
def test_no_other_host_may(text: str) -> None:
    with pytest.raises(UnsupportedInputError, match="has to be https"):
        read_base_url(text, ["media", "10.0.0.5", ""])
