"""Dry runs that are asked for on a page.

Revision 0038, after 0037.
"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text('ended_at IS NULL')


def upgrade() -> None:
    op.create_table('dry_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('schedule_id', sa.Integer(), nullable=True),
    sa.Column('window_start', MOMENT, nullable=False),
    sa.Column('window_end', MOMENT, nullable=False),
    sa.Column('asked_by', sa.String(length=200), nullable=False),
    sa.Column('asked_at', MOMENT, nullable=False),
    sa.Column('began_at', MOMENT, nullable=True),
    sa.Column('lease_until', MOMENT, nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_dry_runs_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedules.id'], name=op.f('fk_dry_runs_schedule_id_schedules'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dry_runs')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_dry_runs_open', 'dry_runs', ['newsletter_id'], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(op.f('ix_dry_runs_schedule_id'), 'dry_runs', ['schedule_id'])


def downgrade() -> None:
    op.drop_table('dry_runs')
