"""Google's official Gemini API, as far as pictures and videos go, played over the simulator's accounts.

The API key of an account opens it, in the header ``x-goog-api-key``. What steers Flow's side steers this one, too: the words in
prompts, the scripted faults, the quotas of accounts, the clock.

* ``unsafe``: the prompt is blocked; a picture answers 200 with a reason, a video fails in the end.
* ``filtered``: the result is blocked, in the same two ways.
* ``latefail``: a video is accepted, and ends without a result.
"""
