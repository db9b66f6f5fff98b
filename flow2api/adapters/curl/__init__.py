"""Calls to remote services over libcurl, for the upstreams: connections that are kept, proxies, the log of calls."""
