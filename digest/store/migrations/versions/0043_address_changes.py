"""Changes of readers' addresses.

Revision 0043, after 0042.
"""

import sqlalchemy as sa
from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('address_changes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('old_email', sa.String(length=320), nullable=False),
    sa.Column('old_key', sa.String(length=320), nullable=False),
    sa.Column('new_email', sa.String(length=320), nullable=False),
    sa.Column('new_key', sa.String(length=320), nullable=False),
    sa.Column('asked_at', MOMENT, nullable=False),
    sa.Column('confirmed_at', MOMENT, nullable=True),
    sa.Column('undone_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_address_changes_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_address_changes_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_address_changes')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_address_changes_newsletter_id'), 'address_changes', ['newsletter_id'])
    op.create_index(op.f('ix_address_changes_subscriber_id'), 'address_changes', ['subscriber_id'])


def downgrade() -> None:
    op.drop_table('address_changes')
