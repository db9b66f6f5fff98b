"""Where the first operator sets himself up."""

from flow2api.settings import Settings

_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - nothing is bound to it


def setup_url(settings: Settings, port: int | None = None) -> str:
    """The address of the page.

    Args:
        port: The one that is listened on, where it is known better than by the settings.
    """
    if settings.public_url:
        return f"{settings.public_url.rstrip('/')}/setup"
    host = settings.host
    shown = _ANY.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{settings.port if port is None else port}/setup"
