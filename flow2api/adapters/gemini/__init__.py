"""Google's official Gemini API with an API key, over libcurl.

::

    client ── caller      the key, the time limits, what is no success
           ── payloads    bodies out (pure)
           ── pictures    answers with pictures in them (pure)
           ── veo         long-running operations (pure)
           ── omni        interactions (pure)
           ── errors      a refusal as an error of the tree (pure)
           ── quotas      what a 429 says (pure)
           ── uploads     input pictures, held until they are used
           ── files       the bytes of videos
"""
