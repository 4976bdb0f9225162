"""What an unsubscription took away, and since when readers have wanted less of something.

Revision 0050, after 0049.
"""

import sqlalchemy as sa
from alembic import op

revision = '0050'
down_revision = '0049'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
LESS = 'muted_topics', 'single_topics', 'unwanted_sources'


def upgrade() -> None:
    op.add_column('departures', sa.Column('act', BIG_ID, nullable=False, server_default='0'))
    op.add_column(
        'departures', sa.Column('state_before', sa.String(length=16), nullable=False, server_default='active')
    )
    op.add_column('departures', sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True))
    # What was left at one moment was left in one act.
    op.execute(
        'UPDATE departures SET act = (SELECT min(first.id) FROM departures AS first '
        'WHERE first.subscriber_id = departures.subscriber_id AND first.at = departures.at)'
    )
    # Who signed up again did not leave, though nobody wrote that down.
    op.execute(
        'UPDATE departures SET undone_at = (SELECT changed_at FROM subscriptions AS tie '
        'WHERE tie.newsletter_id = departures.newsletter_id AND tie.subscriber_id = departures.subscriber_id) '
        'WHERE undone_at IS NULL AND EXISTS (SELECT 1 FROM subscriptions AS tie '
        'WHERE tie.newsletter_id = departures.newsletter_id AND tie.subscriber_id = departures.subscriber_id '
        "AND tie.state <> 'unsubscribed')"
    )
    for table in LESS:
        op.add_column(table, sa.Column('since', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for table in LESS:
        op.drop_column(table, 'since')
    for name in ('paused_until', 'state_before', 'act'):
        op.drop_column('departures', name)
