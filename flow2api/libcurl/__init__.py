"""Calls over libcurl for every upstream: connections that are kept per proxy, what its errors mean, the log of calls."""
