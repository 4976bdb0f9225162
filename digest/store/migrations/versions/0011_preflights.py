"""What the last look at an issue's links and pictures found.

Revision 0011, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('preflights',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('addresses', sa.String(length=64), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_preflights_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', name=op.f('pk_preflights'))
    )


def downgrade() -> None:
    op.drop_table('preflights')
