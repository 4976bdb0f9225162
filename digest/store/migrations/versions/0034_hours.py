"""Approved issues that wait for the hour of their schedule.

Revision 0034, after 0033.
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is approved by now goes out at once, as it did before.
    op.add_column('issues', sa.Column('awaits_hour', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column('issues', 'awaits_hour')
