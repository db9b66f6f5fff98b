"""A host that speaks OpenAI's API for pictures and videos, played over the simulator's accounts.

The API key of an account opens it, as a bearer. What steers Flow's side steers this one, too: the words in prompts, the
scripted faults, credits and quotas of accounts, the clock.

* ``unsafe``, ``filtered``: the request is refused with 400 ``moderation_blocked`` or ``content_policy_violation``.
* ``latefail``: a video is accepted, ends ``failed`` with ``moderation_blocked``, and its price is given back.
"""
