"""Sign-ups that wait, what is not confirmed yet, and whether newsletters take readers.

Newsletters that are there stay closed: nobody asked for a page about them. Revision 0046, after 0045.
"""

import sqlalchemy as sa
from alembic import op

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('newsletters', sa.Column('sign_up', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('newsletters', sa.Column('sign_up_origins', sa.Text(), server_default='', nullable=False))
    op.create_table('sign_ups',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('topics', sa.Text(), nullable=False),
    sa.Column('cadence', sa.String(length=16), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('wording', sa.Text(), nullable=False),
    sa.Column('network', sa.String(length=45), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('is_trapped', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_sign_ups_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ups'))
    )
    op.create_table('sign_up_tallies',
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('hour', MOMENT, nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_sign_up_tallies_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('newsletter_id', 'hour', 'outcome', name=op.f('pk_sign_up_tallies'))
    )
    op.create_table('asks',
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('topics', sa.Text(), nullable=False),
    sa.Column('cadence', sa.String(length=16), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_asks_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_asks_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('newsletter_id', 'subscriber_id', name=op.f('pk_asks'))
    )
    op.create_index(op.f('ix_asks_subscriber_id'), 'asks', ['subscriber_id'])
    op.create_index(op.f('ix_asks_at'), 'asks', ['at'])


def downgrade() -> None:
    op.drop_table('asks')
    op.drop_table('sign_up_tallies')
    op.drop_table('sign_ups')
    op.drop_column('newsletters', 'sign_up_origins')
    op.drop_column('newsletters', 'sign_up')
