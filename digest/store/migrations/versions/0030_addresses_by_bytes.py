"""Subscribers by how their address begins.

Revision 0030, after 0029.
"""

from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite has its unique keys in this order already.
    if op.get_bind().dialect.name == "postgresql":
        op.execute('CREATE INDEX ix_subscribers_email_bytes ON subscribers (email_key COLLATE "C")')


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute('DROP INDEX ix_subscribers_email_bytes')
