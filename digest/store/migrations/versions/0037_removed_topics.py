"""Removed topics: one that many followed waits, unseen, until their follows are forgotten.

Revision 0037, after 0036.
"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('topics', sa.Column('is_removed', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.execute('DELETE FROM follows WHERE topic_id IN (SELECT id FROM topics WHERE is_removed)')
    op.execute('DELETE FROM topics WHERE is_removed')
    op.drop_column('topics', 'is_removed')
