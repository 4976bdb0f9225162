"""Answers of the API, kept for requests that are sent twice; tokens that belong to accounts.

Revision 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql')


def upgrade() -> None:
    op.create_table('kept_answers',
    sa.Column('token_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('request', sa.String(length=64), nullable=False),
    sa.Column('begun_at', MOMENT, nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('headers', JSON, nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['token_id'], ['api_tokens.id'], name=op.f('fk_kept_answers_token_id_api_tokens'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_id', 'key', name=op.f('pk_kept_answers'))
    )
    with op.batch_alter_table('api_tokens') as batch:
        batch.add_column(sa.Column('account_id', BIG_ID, nullable=True))
        batch.create_foreign_key(op.f('fk_api_tokens_account_id_accounts'), 'accounts', ['account_id'], ['id'], ondelete='CASCADE')
        batch.create_index(op.f('ix_api_tokens_account_id'), ['account_id'])
    op.create_index(op.f('ix_kept_answers_begun_at'), 'kept_answers', ['begun_at'])


def downgrade() -> None:
    with op.batch_alter_table('api_tokens') as batch:
        batch.drop_index(op.f('ix_api_tokens_account_id'))
        batch.drop_constraint(op.f('fk_api_tokens_account_id_accounts'), type_='foreignkey')
        batch.drop_column('account_id')
    op.drop_table('kept_answers')
