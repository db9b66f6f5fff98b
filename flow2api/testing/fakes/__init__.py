"""Implementations of the ports in memory, which keep every promise of theirs, for tests of everything that needs one."""
