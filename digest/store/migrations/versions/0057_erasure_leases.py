"""An order to erase somebody is one process's for a while, and counts the lists that named them.

Revision 0057, after 0056.
"""

import sqlalchemy as sa
from alembic import op

revision = '0057'
down_revision = '0056'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('erasure_orders') as batch:
        batch.add_column(sa.Column('lists', sa.Integer(), server_default='0', nullable=False))
        batch.add_column(sa.Column('fence', sa.Integer(), server_default='0', nullable=False))
        batch.add_column(sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('erasure_orders', table_kwargs={'sqlite_autoincrement': True}) as batch:
        batch.drop_column('lease_until')
        batch.drop_column('fence')
        batch.drop_column('lists')
