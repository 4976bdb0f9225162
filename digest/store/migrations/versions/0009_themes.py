"""How a newsletter's mail looks and is worded.

Revision 0009, after 0007.
"""

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    # Not in a batch: SQLite's table would be made anew, and a removed newsletter's id could be given again.
    op.add_column('newsletters', sa.Column('theme', JSON, nullable=False, server_default=sa.text("'{}'")))


def downgrade() -> None:
    op.drop_column('newsletters', 'theme')
