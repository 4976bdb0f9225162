"""Readers are asked whether it may be measured what they open and follow; none is where nobody asks.

Revision 0049, after 0048.
"""

import sqlalchemy as sa
from alembic import op

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column('newsletters', sa.Column('measuring', sa.String(length=16), server_default='off', nullable=False))
    for table in ('sign_ups', 'asks'):
        op.add_column(table, sa.Column('may_measure', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table('measured_readers',
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_measured_readers_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_measured_readers_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('newsletter_id', 'subscriber_id', name=op.f('pk_measured_readers'))
    )
    op.create_index(op.f('ix_measured_readers_subscriber_id'), 'measured_readers', ['subscriber_id'])


def downgrade() -> None:
    op.drop_table('measured_readers')
    for table in ('asks', 'sign_ups'):
        op.drop_column(table, 'may_measure')
    op.drop_column('newsletters', 'measuring')
