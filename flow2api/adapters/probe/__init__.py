"""Whether somebody answers at an address, and whether a proxy lets anything through."""

from flow2api.adapters.probe.outside import look_outside
from flow2api.adapters.probe.proxies import CurlProxyProbe
from flow2api.adapters.probe.reachability import answers_at

__all__ = ["CurlProxyProbe", "answers_at", "look_outside"]
