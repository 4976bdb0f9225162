"""Lists of readers that are uploaded, tried and brought in.

Revision 0044, after 0043.
"""

import sqlalchemy as sa
from alembic import op

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('reader_lists',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('file', sa.String(length=200), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('is_kept', sa.Boolean(), nullable=False),
    sa.Column('asked_by', sa.String(length=200), nullable=False),
    sa.Column('asked_at', MOMENT, nullable=False),
    sa.Column('stage', sa.String(length=16), nullable=False),
    sa.Column('terms', sa.Text(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=True),
    sa.Column('began_at', MOMENT, nullable=True),
    sa.Column('lease_until', MOMENT, nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('report', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_reader_lists_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reader_lists')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_reader_lists_newsletter_id'), 'reader_lists', ['newsletter_id'])


def downgrade() -> None:
    op.drop_table('reader_lists')
