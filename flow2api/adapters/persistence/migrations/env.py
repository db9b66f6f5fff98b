"""How Alembic reaches the database: on the connection, and in the transaction, that it is handed."""

from alembic import context

from flow2api.adapters.persistence.rows import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    # SQLite changes a column by copying the table.
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
