"""flow2api: a pool of generation accounts behind one OpenAI-compatible API for pictures and videos."""

__version__ = "0.1.0"
