"""What readers wish for: a day and hour, mail without HTML, and a pause that ends by itself.

Revision 0042, after 0041.
"""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

RETURNS = sa.text('paused_until IS NOT NULL')


def upgrade() -> None:
    op.add_column('subscriptions', sa.Column('send_at', sa.String(length=16), nullable=False, server_default=''))
    op.add_column(
        'subscriptions', sa.Column('text_only', sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column('subscriptions', sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'ix_subscriptions_returning',
        'subscriptions',
        ['paused_until'],
        sqlite_where=RETURNS,
        postgresql_where=RETURNS,
    )


def downgrade() -> None:
    op.drop_index('ix_subscriptions_returning', 'subscriptions')
    for name in ('paused_until', 'text_only', 'send_at'):
        op.drop_column('subscriptions', name)
