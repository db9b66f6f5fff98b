"""Whether somebody answers at an address, whether a key is taken there, and whether a proxy lets anything through."""

from flow2api.adapters.probe.account_keys import accounts_that_go_direct, look_at_account_keys, look_at_hosts
from flow2api.adapters.probe.outside import look_outside
from flow2api.adapters.probe.proxies import CurlProxyProbe
from flow2api.adapters.probe.reachability import answers_at

__all__ = [
    "CurlProxyProbe",
    "accounts_that_go_direct",
    "answers_at",
    "look_at_account_keys",
    "look_at_hosts",
    "look_outside",
]
