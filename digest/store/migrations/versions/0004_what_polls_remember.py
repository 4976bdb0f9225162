"""What polls remember: a source's backlog, its wishes, where it moved, and who is telling ops of its failure.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# What sources that are there get in the new columns; in those that may be empty, nothing.
SOURCES = {
    'skip_hours': (JSON, "'[]'"),
    'skip_days': (JSON, "'[]'"),
    'moved_to': (sa.String(length=2048), "''"),
}
MAYBE = {'listed_at': MOMENT, 'telling_until': MOMENT, 'ttl': sa.Integer(), 'fresh_for': sa.Integer()}


def upgrade() -> None:
    with op.batch_alter_table('sources', schema=None) as batch_op:
        for name, kind in MAYBE.items():
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        for name, (kind, value) in SOURCES.items():
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=sa.text(value)))
    # Until now a source's first list was whatever its first good poll took.
    op.execute('UPDATE sources SET listed_at = succeeded_at')
    with op.batch_alter_table('sources', schema=None) as batch_op:
        for name, (kind, _) in SOURCES.items():
            batch_op.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)

    with op.batch_alter_table('passed_links', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_backlog', sa.Boolean(), nullable=False, server_default=sa.text('false')))
    with op.batch_alter_table('passed_links', schema=None) as batch_op:
        batch_op.alter_column('is_backlog', existing_type=sa.Boolean(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('passed_links', schema=None) as batch_op:
        batch_op.drop_column('is_backlog')
    with op.batch_alter_table('sources', schema=None) as batch_op:
        for name in (*MAYBE, *SOURCES):
            batch_op.drop_column(name)
