"""Whether readers who agreed to be measured were told that it may spare them mail that they no longer read.

Revision 0056, after 0055. Who agreed before was not.
"""

import sqlalchemy as sa
from alembic import op

revision = '0056'
down_revision = '0055'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('measured_readers', sa.Column('may_spare', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('measured_readers') as readers:
        readers.alter_column('may_spare', existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    op.drop_column('measured_readers', 'may_spare')
