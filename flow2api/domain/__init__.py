"""The inside of flow2api: what it decides, free of frameworks, I/O and clocks."""
