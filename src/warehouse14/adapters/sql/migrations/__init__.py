"""The Alembic environment: revisions lie in ``versions``, named NNNN_what.py."""
