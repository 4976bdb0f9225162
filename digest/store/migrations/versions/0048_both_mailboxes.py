"""Both mailboxes agree to a change of address, and it is known who ever had another.

Revision 0048, after 0047.
"""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column('subscribers', sa.Column('moved_at', MOMENT, nullable=True))
    op.add_column('address_changes', sa.Column('old_agreed_at', MOMENT, nullable=True))
    op.add_column('address_changes', sa.Column('new_agreed_at', MOMENT, nullable=True))
    # Whoever changed their address before is known to have had another one, as far back as that is kept.
    op.execute(
        'UPDATE subscribers SET moved_at = '
        '(SELECT max(confirmed_at) FROM address_changes WHERE subscriber_id = subscribers.id) '
        'WHERE id IN (SELECT subscriber_id FROM address_changes WHERE confirmed_at IS NOT NULL)'
    )
    # Of what was asked for, the old mailbox was told nothing: it is asked for anew.
    op.execute('UPDATE address_changes SET undone_at = asked_at WHERE confirmed_at IS NULL')


def downgrade() -> None:
    op.drop_column('address_changes', 'new_agreed_at')
    op.drop_column('address_changes', 'old_agreed_at')
    op.drop_column('subscribers', 'moved_at')
