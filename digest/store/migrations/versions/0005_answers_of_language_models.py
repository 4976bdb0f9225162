"""What language models answered is kept, so that an article is paid for once.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'llm_answers',
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('model', sa.String(length=200), nullable=False),
        sa.Column('prompt', sa.String(length=32), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('input_tokens', sa.Integer(), nullable=False),
        sa.Column('output_tokens', sa.Integer(), nullable=False),
        sa.Column('cost', sa.BigInteger(), nullable=False),
        sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_llm_answers')),
    )
    with op.batch_alter_table('llm_answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_llm_answers_answered_at'), ['answered_at'], unique=False)


def downgrade() -> None:
    op.drop_table('llm_answers')
