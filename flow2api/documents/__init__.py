"""How things look as JSON, for all who show them: the admin API and the commands with ``--json``."""
