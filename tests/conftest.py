"""How the whole suite is run; what single folders need stands beside them."""

pytest_plugins = ["tests.time_limits", "tests.distribution"]
