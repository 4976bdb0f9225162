"""Endpoints of others' programs, and the calls to them.

Revision 0031, after 0030.
"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table('endpoints',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('url', sa.String(length=2048), nullable=False),
    sa.Column('kinds', sa.String(length=1000), nullable=False),
    sa.Column('about', sa.String(length=200), nullable=False),
    sa.Column('secret', sa.String(length=100), nullable=False),
    sa.Column('secret_before', sa.String(length=100), nullable=False),
    sa.Column('before_until', MOMENT, nullable=True),
    sa.Column('made_by', sa.String(length=200), nullable=False),
    sa.Column('made_at', MOMENT, nullable=False),
    sa.Column('failing_since', MOMENT, nullable=True),
    sa.Column('is_off', sa.Boolean(), nullable=False),
    sa.Column('why_off', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_endpoints')),
    sqlite_autoincrement=True
    )
    op.create_table('calls',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('endpoint_id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('made_at', MOMENT, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('tried_at', MOMENT, nullable=True),
    sa.Column('next_at', MOMENT, nullable=True),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['endpoints.id'], name=op.f('fk_calls_endpoint_id_endpoints'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calls')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_calls_due', 'calls', ['next_at'], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_index('ix_calls_endpoint_id', 'calls', ['endpoint_id', 'id'])
    op.create_index(op.f('ix_calls_made_at'), 'calls', ['made_at'])


def downgrade() -> None:
    op.drop_table('calls')
    op.drop_table('endpoints')
