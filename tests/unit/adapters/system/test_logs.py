"""Which id the lines of work bear that goes on without its request."""

from structlog.contextvars import bound_contextvars, get_contextvars

from flow2api.adapters.system.logs import context_of
from tests.factories import GenerationFactory


def test_resumed_work_is_logged_under_the_id_that_the_request_log_has_for_it() -> None:
    generation = GenerationFactory.build(group_id="req_of_long_ago")
    with bound_contextvars(request_id="req_of_somebody_else", colour="red"):
        assert context_of(generation).run(get_contextvars) == {"request_id": "req_of_long_ago"}


def test_one_without_a_group_is_logged_under_its_own_id() -> None:
    generation = GenerationFactory.build(id="gen_1", group_id="")
    assert context_of(generation).run(get_contextvars) == {"request_id": "gen_1"}
