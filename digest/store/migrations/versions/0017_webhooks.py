"""Provider webhooks: what was taken in already, and deliveries by the names that providers gave them.

Revision 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BY_HTTP = sa.text("smtp_code < 220")


def upgrade() -> None:
    op.create_table('webhook_events',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('received_at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_webhook_events'))
    )
    op.create_index(op.f('ix_webhook_events_received_at'), 'webhook_events', ['received_at'])
    op.create_index('ix_deliveries_provider_name', 'deliveries', ['smtp_text'], sqlite_where=BY_HTTP, postgresql_where=BY_HTTP)


def downgrade() -> None:
    op.drop_index('ix_deliveries_provider_name', 'deliveries')
    op.drop_table('webhook_events')
