"""How the whole suite is run; what single folders need stands beside them."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.time_limits", "tests.distribution", "tests.collector"]

# A machine that is busy with something else makes no example wrong; a test that hangs meets its time limit. The same code meets
# the same examples each time; `make test ARGS="--hypothesis-profile=exploring"` looks for others.
settings.register_profile("exploring", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("unhurried", settings.get_profile("exploring"), derandomize=True)
settings.load_profile("unhurried")
