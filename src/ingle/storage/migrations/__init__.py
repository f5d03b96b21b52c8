"""Alembic's environment and revisions. Run by `schema_upgrade`, never by hand: no ini file is needed."""
