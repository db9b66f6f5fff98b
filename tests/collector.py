"""The garbage collector rests while tests are gathered, and then leaves alone what stays until the end.

It would else go again and again through twelve thousand tests and all modules, a twentieth of the whole time.
"""

import gc
from collections.abc import Generator

import pytest

COLLECT_AFTER = 20_000


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 20)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    gc.unfreeze()
