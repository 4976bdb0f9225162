"""Sign-ups that wait for a cap, and the marks of mailboxes that want no mail of sign-ups.

Revision 0051, after 0050.
"""

import sqlalchemy as sa
from alembic import op

revision = '0051'
down_revision = '0050'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('put_off_sign_ups',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
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
    sa.Column('may_measure', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('mailbox', sa.String(length=64), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('due_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_put_off_sign_ups_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_put_off_sign_ups'))
    )
    op.create_index('ix_put_off_sign_ups_due', 'put_off_sign_ups', ['due_at', 'since'])
    op.create_index('ix_put_off_sign_ups_mailbox', 'put_off_sign_ups', ['newsletter_id', 'mailbox'])
    op.create_table('never_asked',
    sa.Column('mark', sa.String(length=64), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('mark', name=op.f('pk_never_asked'))
    )


def downgrade() -> None:
    op.drop_table('never_asked')
    op.drop_table('put_off_sign_ups')
