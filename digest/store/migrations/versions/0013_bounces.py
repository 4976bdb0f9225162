"""What comes back: reports of bounces and complaints, soft bounces, and who changed the suppression list.

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column('suppressions', sa.Column('issue_id', sa.Integer(), nullable=True))
    op.add_column('suppressions', sa.Column('by', sa.String(length=200), nullable=False, server_default=''))
    op.create_table('suppression_removals',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('email_key', sa.String(length=320), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=True),
    sa.Column('suppressed_at', MOMENT, nullable=False),
    sa.Column('suppressed_by', sa.String(length=200), nullable=False),
    sa.Column('removed_at', MOMENT, nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suppression_removals'))
    )
    op.create_index(op.f('ix_suppression_removals_email_key'), 'suppression_removals', ['email_key'])
    op.create_table('soft_bounces',
    sa.Column('delivery_id', BIG_ID, autoincrement=False, nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id'], name=op.f('fk_soft_bounces_delivery_id_deliveries'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('delivery_id', name=op.f('pk_soft_bounces'))
    )
    op.create_table('returned_mails',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('received_at', MOMENT, nullable=False),
    sa.Column('via', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('meaning', sa.String(length=16), nullable=False),
    sa.Column('effect', sa.String(length=16), nullable=False),
    sa.Column('delivery_id', BIG_ID, nullable=True),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('email_key', sa.String(length=320), nullable=False),
    sa.Column('domain', sa.String(length=255), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['delivery_id'], ['deliveries.id'], name=op.f('fk_returned_mails_delivery_id_deliveries'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_returned_mails')),
    sa.UniqueConstraint('key', name=op.f('uq_returned_mails_key'))
    )
    op.create_index(op.f('ix_returned_mails_delivery_id'), 'returned_mails', ['delivery_id'])
    op.create_index(op.f('ix_returned_mails_email_key'), 'returned_mails', ['email_key'])
    op.create_index(op.f('ix_returned_mails_domain_received_at'), 'returned_mails', ['domain', 'received_at'])


def downgrade() -> None:
    op.drop_table('returned_mails')
    op.drop_table('soft_bounces')
    op.drop_table('suppression_removals')
    for name in ('by', 'issue_id'):
        op.drop_column('suppressions', name)
