"""Links by which somebody comes in once without a password.

Revision 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('entry_links',
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('account_id', ID, nullable=True),
    sa.Column('made_by', sa.String(length=200), nullable=False),
    sa.Column('made_at', MOMENT, nullable=False),
    sa.Column('expires_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_entry_links_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_entry_links')),
    sa.UniqueConstraint('account_id', name=op.f('uq_entry_links_account_id'))
    )


def downgrade() -> None:
    op.drop_table('entry_links')
