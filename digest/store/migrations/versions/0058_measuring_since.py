"""A newsletter knows since when it measures readers, and counts clicks: nobody was seen before.

Revision 0058, after 0057. Of newsletters that did by now it is not known: NULL is for always.
"""

import sqlalchemy as sa
from alembic import op

revision = '0058'
down_revision = '0057'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('newsletters', sa.Column('measuring_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('newsletters', sa.Column('counting_since', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('newsletters', 'counting_since')
    op.drop_column('newsletters', 'measuring_since')
