"""The version of the schema, and how a database comes to it."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from flow2api.domain.errors import ConfigurationError

HEAD = "0020"
"""The newest revision. It stands here so that a start on a current database need not load the migrations."""

MIGRATIONS = Path(__file__).parent / "migrations"


def version_of(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the transaction that the caller has begun.

    Raises:
        ConfigurationError: The database was written by a newer version of the program.
    """
    # Imported here: a start on a current database saves the half second that Alembic takes.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    version = version_of(connection)
    if version is not None and version not in known:
        raise ConfigurationError(
            f"The database was written by a newer flow2api (schema {version}, this program knows {HEAD}): "
            "install that version again, or restore a backup."
        )
    command.upgrade(config, "head")
