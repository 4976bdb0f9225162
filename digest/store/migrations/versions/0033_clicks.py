"""Whether newsletters have clicks counted, and the counts.

Revision 0033, after 0032.
"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('newsletters', sa.Column('clicks', sa.String(length=16), server_default='off', nullable=False))
    op.create_table('hits',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('visitor', sa.String(length=32), nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_hits_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_hits'))
    )
    op.create_index(op.f('ix_hits_at'), 'hits', ['at'])
    op.create_index(op.f('ix_hits_issue_id'), 'hits', ['issue_id'])
    op.create_table('clicks',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('hour', MOMENT, nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('followed', sa.Integer(), nullable=False),
    sa.Column('left_out', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_clicks_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clicks')),
    sa.UniqueConstraint('issue_id', 'hour', 'position', 'topic', 'source', 'place', name=op.f('uq_clicks_issue_id_hour_position_topic_source_place'))
    )
    op.create_index(op.f('ix_clicks_hour'), 'clicks', ['hour'])


def downgrade() -> None:
    op.drop_table('clicks')
    op.drop_table('hits')
    op.drop_column('newsletters', 'clicks')
