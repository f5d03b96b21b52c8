"""Executed by Alembic for every upgrade, on the connection that `schema_upgrade` hands over.

The transaction is the caller's: a failed upgrade leaves the database as it was.
"""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
