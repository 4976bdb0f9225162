"""Reply-to: where what readers of a newsletter answer goes.

Revision 0032, after 0031.
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('newsletters', sa.Column('reply_to', sa.String(length=320), server_default='', nullable=False))


def downgrade() -> None:
    op.drop_column('newsletters', 'reply_to')
