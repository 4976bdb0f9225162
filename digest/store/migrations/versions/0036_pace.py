"""Pace: tokens of the API keep how many requests they have left, for all processes together.

Revision 0036, after 0035.
"""

import sqlalchemy as sa
from alembic import op

from digest.store.base import UTCDateTime

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('api_tokens', sa.Column('pace_left', sa.Double(), nullable=True))
    op.add_column('api_tokens', sa.Column('pace_at', UTCDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column('api_tokens', 'pace_at')
    op.drop_column('api_tokens', 'pace_left')
