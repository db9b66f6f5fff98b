"""What operators see of the start-up settings."""

from flow2api.app.start_up import start_up_settings
from flow2api.settings import load_settings

SECRETS = ("hunter-2-hunter", "key-of-keys-key-of-keys", "sesame-sesame")


def test_every_setting_says_its_value_and_where_it_comes_from() -> None:
    settings = load_settings(
        {
            "FLOW2API_PORT": "9000",
            "FLOW2API_ALLOWED_HOSTS": "a.example, b.example",
            "FLOW2API_OPERATOR_PASSWORD_FILE": "/run/passphrase",
        },
        "open_metrics = true\n",
    )
    shown = {one.name: one for one in start_up_settings(settings)}

    assert (shown["port"].value, shown["port"].origin, shown["port"].is_default) == ("9000", "FLOW2API_PORT", False)
    assert (shown["open_metrics"].value, shown["open_metrics"].origin) == ("true", "flow2api.toml")
    assert shown["allowed_hosts"].value == "a.example, b.example"
    assert shown["operator_password_file"].value == "/run/passphrase"
    assert (shown["drain_s"].value, shown["drain_s"].origin, shown["drain_s"].is_default) == ("60.0", "", True)
    assert not {"options", "sections", "origins"} & shown.keys()


def test_no_secret_is_shown() -> None:
    settings = load_settings(
        {
            "FLOW2API_SECRET_KEY": SECRETS[1],
            "FLOW2API_DATABASE_URL": f"postgresql://ada:{SECRETS[0]}@db.example/pool",
            "FLOW2API_OPENAI__API_KEY": SECRETS[2],
        },
        sections={"openai"},
    )
    shown = start_up_settings(settings)

    assert not [one for one in shown for secret in SECRETS if secret in repr(one)]
    assert "db.example/pool" in next(one.value for one in shown if one.name == "database_url")
    assert next(one for one in shown if one.name == "openai.api_key").origin == "FLOW2API_OPENAI__API_KEY"
