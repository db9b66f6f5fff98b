import pytest

from flow2api.domain.account import Account, CredentialKind
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.read_credential import GivenCredential
from flow2api.testing.fakes.clock import START

KINDS = CredentialKinds(
    {"keyed": CredentialKind.API_KEY, "hosts": CredentialKind.API_KEY_AND_BASE_URL}, frozenset({"media"})
)
SESSION, KEY, HOST = "flow", "keyed", "hosts"


def test_what_the_upstream_wants_is_read() -> None:
    assert GivenCredential(session_token=" eyJ \n").read("flow", KINDS) == (Secret("eyJ"), None)
    assert GivenCredential(api_key="k;1\n").read("keyed", KINDS) == (Secret("k;1"), None)
    given = GivenCredential(api_key="k1", base_url="https://A.b/")
    assert given.read("hosts", KINDS) == (Secret("k1"), "https://a.b")


def test_empty_columns_of_others_say_nothing() -> None:
    assert GivenCredential("", "k1", "").read("keyed", KINDS) == (Secret("k1"), None)


@pytest.mark.parametrize(
    ("given", "upstream", "param", "problem"),
    [
        (GivenCredential(), SESSION, "session_token", "a session token (session_token): session_token is missing."),
        (GivenCredential(), KEY, "api_key", "wants an API key (api_key): api_key is missing."),
        (GivenCredential(), HOST, "api_key", "api_key is missing, base_url is missing."),
        (GivenCredential("canary", "canary"), KEY, "session_token", "session_token does not belong to it."),
        (GivenCredential("eyJ", None, "https://a.b"), SESSION, "base_url", "base_url does not belong to it."),
        (GivenCredential(api_key="canary canary"), KEY, "api_key", "The API key has blanks or other characters"),
        (GivenCredential(api_key="canary\xe9"), KEY, "api_key", "The API key has blanks or other characters"),
        (GivenCredential(api_key=" "), KEY, "api_key", "The API key is empty."),
        (GivenCredential(api_key="k", base_url=""), HOST, "base_url", "The base URL is empty."),
    ],
)
def test_what_it_does_not_want_is_refused_without_being_shown(
    given: GivenCredential, upstream: str, param: str, problem: str
) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        given.read(upstream, KINDS)
    assert caught.value.param == param
    assert problem in caught.value.message
    assert "canary" not in caught.value.message + repr(given)


def test_fields_are_called_as_the_operator_knows_them() -> None:
    with pytest.raises(UnsupportedInputError, match=r"wants an API key \(--api-key-file\): --api-key-file is missing"):
        GivenCredential().read("keyed", KINDS, {"api_key": "--api-key-file"})


class TestForAnAccountThatIsThere:
    HOSTED = Account(id=1, upstream="hosts", name="", created_at=START, base_url="https://a.b")
    KEYED = Account(id=2, upstream="keyed", name="", created_at=START)

    def test_what_is_not_given_stays(self) -> None:
        assert GivenCredential().read_for(self.HOSTED, KINDS) == (None, None)
        assert GivenCredential().read_for(self.KEYED, KINDS) == (None, None)

    def test_new_key_is_one_for_the_host_as_it_is_known(self) -> None:
        assert GivenCredential(api_key="k2").read_for(self.HOSTED, KINDS) == (Secret("k2"), "https://a.b")
        assert GivenCredential(api_key="k2").read_for(self.KEYED, KINDS) == (Secret("k2"), None)

    def test_other_host_comes_with_the_key(self) -> None:
        given = GivenCredential(api_key="k1", base_url="https://c.d")
        assert given.read_for(self.HOSTED, KINDS) == (Secret("k1"), "https://c.d")
        assert GivenCredential(base_url="https://A.b/").read_for(self.HOSTED, KINDS) == (None, "https://a.b")
        with pytest.raises(UnsupportedInputError, match="api_key is missing"):
            GivenCredential(base_url="https://c.d").read_for(self.HOSTED, KINDS)
        with pytest.raises(UnsupportedInputError, match="base_url does not belong to it"):
            GivenCredential(base_url="https://c.d").read_for(self.KEYED, KINDS)


def test_host_that_the_operator_has_named_is_asked_over_plain_http() -> None:
    given = GivenCredential(api_key="k1", base_url="http://media:8000/v1")
    assert given.read("hosts", KINDS) == (Secret("k1"), "http://media:8000/v1")
    with pytest.raises(UnsupportedInputError, match="plain_http_hosts"):
        given.read("hosts", CredentialKinds(KINDS.by_upstream))
