"""Accounts, their sessions, and the record of what people did.

Revision 0020, after 0019.
"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
NEVER_AGAIN = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.create_table('accounts',
    sa.Column('id', ID, nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('email_key', sa.String(length=320), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('name_key', sa.String(length=800), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('password', sa.String(length=255), nullable=False),
    sa.Column('created_at', MOMENT, nullable=False),
    sa.Column('created_by', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('email_key', name=op.f('uq_accounts_email_key')),
    sa.UniqueConstraint('name_key', name=op.f('uq_accounts_name_key')),
    **NEVER_AGAIN
    )
    op.create_table('sign_ins',
    sa.Column('id', ID, nullable=False),
    sa.Column('account_id', ID, nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('device', sa.String(length=200), nullable=False),
    sa.Column('network', sa.String(length=64), nullable=False),
    sa.Column('started_at', MOMENT, nullable=False),
    sa.Column('seen_at', MOMENT, nullable=False),
    sa.Column('ends_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_sign_ins_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins')),
    sa.UniqueConstraint('token', name=op.f('uq_sign_ins_token')),
    **NEVER_AGAIN
    )
    op.create_index(op.f('ix_sign_ins_account_id'), 'sign_ins', ['account_id'])
    op.create_index(op.f('ix_sign_ins_ends_at'), 'sign_ins', ['ends_at'])
    op.create_table('audit',
    sa.Column('id', ID, nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('account_id', ID, nullable=True),
    sa.Column('what', sa.String(length=64), nullable=False),
    sa.Column('about', sa.String(length=400), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    **NEVER_AGAIN
    )
    op.create_index('ix_audit_by_id', 'audit', ['by', 'id'])
    op.create_index('ix_audit_what_id', 'audit', ['what', 'id'])


def downgrade() -> None:
    for table in ('audit', 'sign_ins', 'accounts'):
        op.drop_table(table)
