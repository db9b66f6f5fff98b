from flow2api.domain.account import CredentialKind
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds


def test_upstream_that_nobody_registered_has_sessions() -> None:
    kinds = CredentialKinds({"keyed": CredentialKind.API_KEY})

    assert (kinds.of("keyed"), kinds.of("gone")) == (CredentialKind.API_KEY, CredentialKind.SESSION)
    assert SESSIONS.of("flow") is CredentialKind.SESSION


def test_kinds_say_what_they_have() -> None:
    assert [(kind.has_key, kind.has_base_url, kind.field, kind.secret) for kind in CredentialKind] == [
        (False, False, "session_token", "session token"),
        (True, False, "api_key", "API key"),
        (True, True, "api_key", "API key"),
    ]
