"""What came back from the server's own address."""

from flow2api.domain.ports.outside import LooksOutside, OutsideView


async def test_function_that_tells_what_it_met_is_a_look_from_outside() -> None:
    async def look(url: str, *, timeout_s: float) -> OutsideView:
        return OutsideView(200 if url.startswith("https://") else 502, round(timeout_s * 1000))

    looks: LooksOutside = look

    met = await looks("https://media.example.com", timeout_s=0.5)
    assert (met.status, met.latency_ms, met.certificate_days, met.request_id) == (200, 500, None, "")
