"""What each option is called, and what it does, in the page's language."""

from dataclasses import dataclass

from flow2api.adapters.console.language import gettext


@dataclass(frozen=True, slots=True)
class OptionWords:
    """An option in words.

    Attributes:
        unit: What a number counts; empty where the label says it.
        is_risky: Whether a wrong value can stop work or let secrets out, so that it is looked at twice.
        acts_at_start: Whether it acts only at the next start.
    """

    name: str
    label: str
    help: str
    unit: str = ""
    is_risky: bool = False
    acts_at_start: bool = False


def balancing() -> list[OptionWords]:
    """Which account gets what."""
    return [
        OptionWords(
            "policy",
            gettext("Policy"),
            gettext("How one is picked among the accounts that are ready. It acts on the next request."),
        ),
        OptionWords(
            "model_routes",
            gettext("Routes of models"),
            gettext(
                "A line for each public name: the name, an equals sign, and the models that serve it in their order, with "
                "commas between. The next one is taken while those before it have no account free."
            ),
        ),
        OptionWords(
            "models_off",
            gettext("Models that are not offered"),
            gettext(
                "Names with commas between. Their aliases go with them; the name of a line stands for all its models."
            ),
            is_risky=True,
        ),
        OptionWords(
            "pictures_per_call",
            gettext("Pictures in one call"),
            gettext(
                "How many pictures of one request are asked of one account at once; the others go to other accounts."
            ),
            gettext("pictures"),
        ),
    ]


def retries() -> list[OptionWords]:
    """What follows a failure."""
    return [
        OptionWords(
            "max_attempts",
            gettext("Accounts tried"),
            gettext("On how many accounts one generation is tried before anything is spent."),
            gettext("accounts"),
        ),
        OptionWords(
            "error_threshold",
            gettext("Faults before a rest"),
            gettext("After so many faults of its own in a row an account rests."),
            gettext("faults"),
        ),
        OptionWords(
            "retry_percent",
            gettext("Share of retries"),
            gettext("How many retries on other accounts there may be for a hundred first tries in a minute."),
            gettext("percent"),
        ),
        OptionWords(
            "retries_per_min",
            gettext("Retries in any case"),
            gettext("So many retries are allowed in any minute, however few first tries there were."),
            gettext("a minute"),
        ),
        OptionWords(
            "image_timeout_s",
            gettext("Time for a picture"),
            gettext("From the moment when an account is found to the end."),
            gettext("seconds"),
        ),
        OptionWords(
            "video_timeout_s",
            gettext("Time for a video"),
            gettext("From its submit to its end."),
            gettext("seconds"),
        ),
        OptionWords(
            "enlarge_timeout_s",
            gettext("More time to enlarge"),
            gettext("What an enlargement may take on top of that."),
            gettext("seconds"),
        ),
    ]


def limits() -> list[OptionWords]:
    """How much at once."""
    return [
        OptionWords(
            "max_running",
            gettext("Running at once"),
            gettext("Over all accounts; those beyond it wait as for a busy account. 0 is any number."),
            gettext("generations"),
        ),
        OptionWords(
            "requests_per_min",
            gettext("Requests of a key"),
            gettext("So many each API key may begin in a minute, in all processes together. 0 is any number."),
            gettext("a minute"),
        ),
        OptionWords(
            "waiting_limit",
            gettext("Waiting at once"),
            gettext("How many may wait for a free account; those beyond it are refused. 0 lets nobody wait."),
            gettext("generations"),
        ),
        OptionWords(
            "image_wait_s",
            gettext("Wait for a picture"),
            gettext("How long a request may wait for a free account, on however many accounts it is tried."),
            gettext("seconds"),
        ),
        OptionWords("video_wait_s", gettext("Wait for a video"), gettext("The same for videos."), gettext("seconds")),
        OptionWords(
            "poll_interval_s",
            gettext("Between status calls"),
            gettext("The least time between two questions to one account how its videos are doing."),
            gettext("seconds"),
        ),
        OptionWords(
            "poll_batch",
            gettext("Videos in a status call"),
            gettext("How many are asked about at once."),
            gettext("videos"),
        ),
    ]


def renewal() -> list[OptionWords]:
    """How accounts are kept usable."""
    return [
        OptionWords(
            "background_renewal",
            gettext("Look after accounts ahead"),
            gettext(
                "Access tokens are renewed before they end. Without it sessions that no request meets end for good."
            ),
            is_risky=True,
        ),
        OptionWords(
            "session_keepalive_h",
            gettext("Renew at least every"),
            gettext("Every account that is switched on is exchanged this often, so that its session lives on."),
            gettext("hours"),
        ),
        OptionWords(
            "renewals_at_once", gettext("Renewals at once"), gettext("How many run side by side."), gettext("renewals")
        ),
        OptionWords(
            "renewals_per_s",
            gettext("Renewals begun"),
            gettext("At most so many begin in a second."),
            gettext("a second"),
        ),
        OptionWords(
            "auto_enable_on_update",
            gettext("A new session token switches on"),
            gettext("One that the browser extension brings switches an account on again that you have switched off."),
        ),
    ]


def proxies() -> list[OptionWords]:
    """The way to the upstream."""
    return [
        OptionWords(
            "proxy",
            gettext("Proxy of accounts"),
            gettext("The proxy or pool for accounts that name none themselves. Empty is the direct way."),
            is_risky=True,
        ),
        OptionWords(
            "media_proxy",
            gettext("Proxy of downloads"),
            gettext("For pictures and videos, which carry no credential. Empty is the account's own, direct is none."),
        ),
        OptionWords(
            "proxy_selector",
            gettext("Choice in a pool"),
            gettext("How a proxy is chosen for an account that has none yet, or whose own has failed."),
        ),
        OptionWords(
            "proxy_direct_fallback",
            gettext("Go direct when all fail"),
            gettext("Accounts are then seen under the server's own address while none of their proxies works."),
            is_risky=True,
        ),
        OptionWords(
            "proxy_check_interval_s",
            gettext("Check every"),
            gettext("How often each proxy is checked. 0 checks only those that are down."),
            gettext("seconds"),
        ),
        OptionWords("proxy_check_url", gettext("Address for checks"), gettext("What is fetched through a proxy.")),
    ]


def media() -> list[OptionWords]:
    """Pictures, videos and answers."""
    return [
        OptionWords(
            "response_profile",
            gettext("Form of chat answers"),
            gettext("For keys that have none of their own."),
        ),
        OptionWords(
            "picture_urls",
            gettext("Fetch pictures from addresses"),
            gettext("Callers may give https addresses of pictures; without it they have to send the pictures."),
        ),
        OptionWords(
            "link_lifetime_s", gettext("Links are good for"), gettext("Signed links in answers."), gettext("seconds")
        ),
        OptionWords(
            "chat_link_lifetime_s",
            gettext("Links in chats are good for"),
            gettext("Longer, because people come back to a conversation."),
            gettext("seconds"),
        ),
        OptionWords(
            "media_base_url",
            gettext("Links begin with"),
            gettext("Such as https://media.example.org. Empty is the address by which the server is reached."),
        ),
        OptionWords(
            "media_room_mb",
            gettext("Room to keep free"),
            gettext("With less room nothing is begun that costs credits. 0 asks for none."),
            gettext("MiB"),
        ),
    ]


def retention() -> list[OptionWords]:
    """How long what is kept."""
    return [
        OptionWords(
            "image_retention_h", gettext("Pictures"), gettext("0 keeps them for ever."), gettext("hours"), is_risky=True
        ),
        OptionWords(
            "video_retention_h", gettext("Videos"), gettext("0 keeps them for ever."), gettext("hours"), is_risky=True
        ),
        OptionWords(
            "input_retention_h",
            gettext("Pictures that callers send"),
            gettext("0 keeps them for ever."),
            gettext("hours"),
        ),
        OptionWords(
            "idempotency_h",
            gettext("Answers to repeated requests"),
            gettext("How long a repeated Idempotency-Key finds its first answer."),
            gettext("hours"),
        ),
        OptionWords(
            "health_days",
            gettext("What accounts went through"),
            gettext("The timeline of each account. 0 keeps it for ever."),
            gettext("days"),
        ),
        OptionWords(
            "log_days", gettext("Request log"), gettext("0 keeps it for ever."), gettext("days"), is_risky=True
        ),
        OptionWords(
            "statistics_days",
            gettext("Figures by day"),
            gettext("Totals stay. 0 keeps all."),
            gettext("days"),
            is_risky=True,
        ),
        OptionWords(
            "delivery_days",
            gettext("Messages to webhooks"),
            gettext("How long it is kept what became of each. 0 keeps it for ever."),
            gettext("days"),
        ),
    ]


def records() -> list[OptionWords]:
    """What is written down."""
    return [
        OptionWords(
            "log_prompts",
            gettext("Prompts in the logs"),
            gettext("Nothing, their SHA-256, or all of them. Prompts may be private to who wrote them."),
            is_risky=True,
        ),
        OptionWords(
            "log_bodies",
            gettext("Keep what was sent"),
            gettext("8 KiB of each request, pictures as their size and SHA-256."),
            is_risky=True,
        ),
        OptionWords(
            "debug_log",
            gettext("Debug log"),
            gettext("Writes calls to the upstream and choices of accounts to debug.log in the data folder."),
        ),
        OptionWords(
            "time_zone",
            gettext("Time zone of figures"),
            gettext("An IANA name such as Europe/Berlin. Empty is the machine's."),
        ),
    ]


def telling() -> list[OptionWords]:
    """Who is told when something needs care."""
    return [
        OptionWords(
            "low_credits",
            gettext("Few credits"),
            gettext("You are told of an account that has fewer. 0 tells of none."),
            gettext("credits"),
        ),
        OptionWords(
            "notify_pause_s",
            gettext("Between messages"),
            gettext("What happens meanwhile is gathered in the next one."),
            gettext("seconds"),
        ),
        OptionWords(
            "notify_repeat_s",
            gettext("Before a repetition"),
            gettext("For so long nothing more is told about the same account, plan, upstream or proxy."),
            gettext("seconds"),
        ),
        OptionWords(
            "private_webhooks",
            gettext("Webhooks in the own network"),
            gettext("Webhooks may have addresses that are not on the public internet, and without TLS."),
            is_risky=True,
        ),
    ]


def server() -> list[OptionWords]:
    """Plugins, and what everybody may see."""
    return [
        OptionWords(
            "plugins",
            gettext("Plugins"),
            gettext("Names with commas between, beside those of the setting of this name."),
            is_risky=True,
            acts_at_start=True,
        ),
        OptionWords(
            "plugin_settings",
            gettext("Settings of plugins"),
            gettext(
                "A line for each: section, point, name, equals sign, value. The page of plugins has forms for them. What the "
                "settings file or the environment sets goes before."
            ),
            is_risky=True,
            acts_at_start=True,
        ),
        OptionWords(
            "health_counts",
            gettext("Tell everybody how many accounts there are"),
            gettext("The address /health says it, and how they stand."),
        ),
    ]
