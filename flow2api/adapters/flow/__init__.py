"""Google Flow's labs protocol, spoken over libcurl, in the wire eras ``seed`` and ``2026-06``.

::

    client ── session    the exchange of session tokens
           ── eras       which words an era uses (era_seed, era_2026_06: bodies out, answers in, both pure)
           ── polling    many operations in one call
           ── joining    a clip and its extension become one
           ── media      the bytes of what was made
           ── errors     a refusal as an error of the tree

The calls themselves are carried by `flow2api.libcurl`.
"""
