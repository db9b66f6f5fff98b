"""The requests of clients, in the order in which they are sent."""

from flow2api.adapters.console.checks.client_requests import Setting, client_cases


def test_videos_are_asked_for_last_because_others_would_wait_minutes_for_them() -> None:
    cases = client_cases(Setting("any", "http://127.0.0.1", b"", makes_videos=True))

    waits = [case.watch is not None for case in cases]

    assert any(waits)
    assert waits == sorted(waits)
