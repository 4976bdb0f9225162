"""What was purged, by day.

Revision 0040, after 0039.
"""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('purges',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('removed', sa.Integer(), nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('day', 'kind', name=op.f('pk_purges'))
    )
    op.create_table('purged_issues',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('purged_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_purged_issues_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', name=op.f('pk_purged_issues'))
    )


def downgrade() -> None:
    op.drop_table('purged_issues')
    op.drop_table('purges')
