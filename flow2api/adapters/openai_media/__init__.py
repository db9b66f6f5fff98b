"""Any host that speaks OpenAI's API for pictures and videos, reached with a key and a base URL for each account.

::

    client ── caller         a call in the name of an account: key, idempotency key, the gateways it came through
           ── payloads       bodies out: JSON, and forms (form)
           ── answers        answers in: pictures, videos, models
           ── model_wire     what a model's record says to this adapter
           ── kept_pictures  input pictures, held until they go out along with a request
           ── media          the bytes of what was made
           ── errors         a refusal as an error of the tree
           ── hosts          base URLs

The calls themselves are carried by `flow2api.libcurl`. The wire: OpenAI's API as of 2026-11.
"""
