"""Marks of those who were erased.

Revision 0039, after 0038.
"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('erasures',
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.Column('key', sa.String(length=8), nullable=False),
    sa.Column('erased_at', MOMENT, nullable=False),
    sa.Column('asked_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('mark', name=op.f('pk_erasures'))
    )


def downgrade() -> None:
    op.drop_table('erasures')
