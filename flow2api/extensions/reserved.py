"""Names that are taken whatever is loaded."""

PROGRAM_COMMANDS = frozenset(
    {
        "accounts",
        "audit",
        "db",
        "demo",
        "doctor",
        "generations",
        "import-legacy",
        "keys",
        "logs",
        "models",
        "notify",
        "operator",
        "options",
        "plugins",
        "policies",
        "proxies",
        "serve",
        "stats",
        "webhooks",
    }
)
"""Commands that stand whatever is loaded."""

PROGRAM_SETTINGS = frozenset(
    {
        "allowed_hosts",
        "config",
        "console_plain_http",
        "coordination_url",
        "data_dir",
        "database_url",
        "drain_s",
        "host",
        "hsts_days",
        "lease_s",
        "linger_s",
        "log_format",
        "log_level",
        "media_url",
        "open_metrics",
        "operator_password_file",
        "options",
        "origins",
        "plain_http_hosts",
        "plugins",
        "plugins_dir",
        "port",
        "public_url",
        "secret_key",
        "secret_key_file",
        "sections",
        "setup_code_file",
        "trusted_proxies",
    }
)
"""Settings of the program, which no section can be called like."""

DOCTOR_FRAME = frozenset({"settings", "plugins", "backends", "database"})
"""Checks that stand whatever is loaded; the others may need the last two."""
