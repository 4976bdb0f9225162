"""Orders to erase somebody, kept until they are done.

Revision 0054, after 0053.
"""

import sqlalchemy as sa
from alembic import op

revision = '0054'
down_revision = '0053'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('erasure_orders',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=True),
    sa.Column('newsletters', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure_orders')),
    sqlite_autoincrement=True
    )


def downgrade() -> None:
    op.drop_table('erasure_orders')
