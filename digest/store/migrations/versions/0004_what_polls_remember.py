"""What polls remember: the backlog of a source's first list.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.add_column(sa.Column('listed_at', MOMENT, nullable=True))
    # Until now a source's first list was whatever its first good poll took.
    op.execute('UPDATE sources SET listed_at = succeeded_at')

    with op.batch_alter_table('passed_links', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_backlog', sa.Boolean(), nullable=False, server_default=sa.text('false')))
    with op.batch_alter_table('passed_links', schema=None) as batch_op:
        batch_op.alter_column('is_backlog', existing_type=sa.Boolean(), existing_nullable=False, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('passed_links', schema=None) as batch_op:
        batch_op.drop_column('is_backlog')
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.drop_column('listed_at')
