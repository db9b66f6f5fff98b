"""Played upstreams: Google Flow's labs protocol, Google's Gemini API and an OpenAI-compatible host, over real HTTP on the loopback.

Run it with ``python -m flow2api.simulator``. It needs nothing else of this project, keeps everything in memory and is
steered over its control API under ``/_sim/`` (structs: `flow2api.simulator.control_schema`; client:
`flow2api.testing.simulator`).

Some words in a prompt steer it too, so that a client can be tried without the control API:

* ``unsafe``: the call is refused with 400 ``PUBLIC_ERROR_UNSAFE_GENERATION``.
* ``filtered``: the call answers 200 without any result.
* ``latefail``: a video is accepted, ends FAILED with ``PUBLIC_ERROR_DANGER_FILTER`` and costs nothing.
* A colour (``red``), a place (``sea``, ``night``) or a thing (``cat``, ``rocket``) is drawn.
"""
