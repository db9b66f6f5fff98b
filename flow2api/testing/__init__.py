"""Test aids that are part of the distribution: contract suites, fakes and the simulator's client."""
