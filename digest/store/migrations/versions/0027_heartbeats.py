"""Heartbeats: which processes work, by the last sign of life of each.

Revision 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('heartbeats',
    sa.Column('process', sa.String(length=120), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('seen_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('process', name=op.f('pk_heartbeats'))
    )


def downgrade() -> None:
    op.drop_table('heartbeats')
