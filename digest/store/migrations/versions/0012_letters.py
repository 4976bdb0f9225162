"""Letters: mails to one subscriber besides the digest, and which of them a newsletter sends by itself.

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
PENDING = sa.text("state = 'pending'")
LEASED = sa.text("state IN ('claimed', 'sending')")


def upgrade() -> None:
    # Not in a batch: SQLite's table would be made anew, and a removed newsletter's id could be given again.
    for name in ('welcome', 'goodbye'):
        op.add_column('newsletters', sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table('letters',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('email_key', sa.String(length=320), nullable=False),
    sa.Column('message_id', sa.String(length=250), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('owner', sa.String(length=120), nullable=True),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('lease_until', MOMENT, nullable=True),
    sa.Column('next_at', MOMENT, nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('smtp_code', sa.Integer(), nullable=True),
    sa.Column('smtp_text', sa.Text(), nullable=True),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('armed_at', MOMENT, nullable=True),
    sa.Column('settled_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_letters_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_letters_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letters')),
    sa.UniqueConstraint('message_id', name=op.f('uq_letters_message_id'))
    )
    op.create_index('ix_letters_due', 'letters', ['next_at'], sqlite_where=PENDING, postgresql_where=PENDING)
    op.create_index('ix_letters_leased', 'letters', ['lease_until'], sqlite_where=LEASED, postgresql_where=LEASED)
    op.create_index('ix_letters_newsletter_id', 'letters', ['newsletter_id', 'email_key', 'kind'])
    op.create_index('ix_letters_subscriber_id', 'letters', ['subscriber_id'])


def downgrade() -> None:
    op.drop_table('letters')
    for name in ('goodbye', 'welcome'):
        op.drop_column('newsletters', name)
