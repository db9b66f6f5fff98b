"""What serves many bears the marks of none of them."""

from contextvars import ContextVar

from flow2api.domain.apart import apart

REQUEST = ContextVar("REQUEST", default="nobody's")


async def _whose() -> str:
    return REQUEST.get()


async def test_work_knows_nothing_of_the_request_that_began_it() -> None:
    REQUEST.set("req_1")
    task = apart(_whose(), name="errand")
    assert task.get_name() == "errand"
    assert await task == "nobody's"
    assert await _whose() == "req_1"
