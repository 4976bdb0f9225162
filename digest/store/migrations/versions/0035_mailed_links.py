"""Mailed links: letters to accounts, in their language, and links that an account's owner asked for.

Revision 0035, after 0034.
"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
PENDING = sa.text("state = 'pending'")
LEASED = sa.text("state IN ('claimed', 'sending')")


def upgrade() -> None:
    op.add_column('accounts', sa.Column('language', sa.String(length=16), server_default='en', nullable=False))
    with op.batch_alter_table('entry_links') as links:
        links.drop_constraint(op.f('uq_entry_links_account_id'), type_='unique')
        links.add_column(sa.Column('is_own', sa.Boolean(), server_default=sa.false(), nullable=False))
        links.create_unique_constraint(op.f('uq_entry_links_account_id'), ['account_id', 'is_own'])
    _without_partial_indexes()
    with op.batch_alter_table('letters') as letters:
        letters.alter_column('newsletter_id', existing_type=sa.Integer(), nullable=True)
        letters.alter_column('subscriber_id', existing_type=sa.Integer(), nullable=True)
        letters.add_column(sa.Column('account_id', BIG_ID, nullable=True))
        letters.add_column(sa.Column('entry_link', sa.String(length=64), nullable=True))
        letters.create_foreign_key(op.f('fk_letters_account_id_accounts'), 'accounts', ['account_id'], ['id'], ondelete='CASCADE')
        letters.create_index('ix_letters_account_id', ['account_id'])
    _with_partial_indexes()


def downgrade() -> None:
    op.execute('DELETE FROM letters WHERE account_id IS NOT NULL')
    op.execute('DELETE FROM entry_links WHERE is_own')
    _without_partial_indexes()
    with op.batch_alter_table('letters') as letters:
        letters.drop_index('ix_letters_account_id')
        letters.drop_constraint(op.f('fk_letters_account_id_accounts'), type_='foreignkey')
        letters.drop_column('entry_link')
        letters.drop_column('account_id')
        letters.alter_column('subscriber_id', existing_type=sa.Integer(), nullable=False)
        letters.alter_column('newsletter_id', existing_type=sa.Integer(), nullable=False)
    _with_partial_indexes()
    with op.batch_alter_table('entry_links') as links:
        links.drop_constraint(op.f('uq_entry_links_account_id'), type_='unique')
        links.drop_column('is_own')
        links.create_unique_constraint(op.f('uq_entry_links_account_id'), ['account_id'])
    op.drop_column('accounts', 'language')


def _without_partial_indexes() -> None:
    # SQLite's table is made anew in a batch, and what an index leaves out would be lost.
    op.drop_index('ix_letters_due', 'letters')
    op.drop_index('ix_letters_leased', 'letters')


def _with_partial_indexes() -> None:
    op.create_index('ix_letters_due', 'letters', ['next_at'], sqlite_where=PENDING, postgresql_where=PENDING)
    op.create_index('ix_letters_leased', 'letters', ['lease_until'], sqlite_where=LEASED, postgresql_where=LEASED)
