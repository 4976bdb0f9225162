"""Addressing: how often and how much readers want, each reader's own hour, and deliveries written in bulk.

Revision 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

ISSUES_KEY = 'fk_deliveries_issue_id_issues'


def upgrade() -> None:
    op.add_column('newsletters', sa.Column('local_time', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column(
        'newsletters', sa.Column('cadences', sa.String(length=64), nullable=False, server_default='every')
    )
    op.add_column(
        'subscriptions', sa.Column('cadence', sa.String(length=16), nullable=False, server_default='every')
    )
    op.add_column('subscriptions', sa.Column('max_items', sa.Integer(), nullable=True))
    op.add_column('skips', sa.Column('until', sa.Date(), nullable=True))
    with op.batch_alter_table('deliveries') as batch:
        batch.drop_constraint(ISSUES_KEY, type_='foreignkey')


def downgrade() -> None:
    op.drop_column('skips', 'until')
    for name in ('max_items', 'cadence'):
        op.drop_column('subscriptions', name)
    for name in ('cadences', 'local_time'):
        op.drop_column('newsletters', name)
    with op.batch_alter_table('deliveries') as batch:
        batch.create_foreign_key(ISSUES_KEY, 'issues', ['issue_id'], ['id'], ondelete='CASCADE')
