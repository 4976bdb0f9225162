"""Who paused an issue and why, holds on all sending, where this database lives, weeks made again, counts.

Revision 0016, after 0015.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
SETTLED = sa.text("state IN ('accepted', 'failed')")
UNSENT = sa.text("state IN ('failed', 'unknown', 'cancelled')")
LIVING = sa.text("state <> 'cancelled'")
PAUSE_OPEN = sa.text("ended_at IS NULL")
WINDOW = ['newsletter_id', 'window_start', 'window_end']
AS_MADE = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.create_table('pauses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=16), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('note_before', sa.Text(), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.Column('ended_by', sa.String(length=200), nullable=False),
    sa.Column('tell_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_pauses_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pauses'))
    )
    op.create_index('ix_pauses_open', 'pauses', ['issue_id'], unique=True, sqlite_where=PAUSE_OPEN, postgresql_where=PAUSE_OPEN)
    op.create_index(op.f('ix_pauses_issue_id'), 'pauses', ['issue_id'])
    op.create_table('holds',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('cause', sa.String(length=16), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('ended_at', MOMENT, nullable=True),
    sa.Column('ended_by', sa.String(length=200), nullable=False),
    sa.Column('tell_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holds'))
    )
    op.create_index('ix_holds_open', 'holds', ['cause'], unique=True, sqlite_where=PAUSE_OPEN, postgresql_where=PAUSE_OPEN)
    homes = op.create_table('homes',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('identity', sa.String(length=36), nullable=False),
    sa.Column('place', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_homes'))
    )
    op.bulk_insert(homes, [{"id": 1, "identity": str(uuid4()), "place": ""}])
    _make_windows_unique_among_the_living()
    op.create_index('ix_deliveries_settled', 'deliveries', ['issue_id', 'settled_at'], sqlite_where=SETTLED, postgresql_where=SETTLED)
    op.create_index('ix_deliveries_unsent', 'deliveries', ['issue_id', 'state', 'settled_at'], sqlite_where=UNSENT, postgresql_where=UNSENT)
    op.create_index('ix_returned_mails_meaning_received_at', 'returned_mails', ['meaning', 'received_at'])


def _make_windows_unique_among_the_living() -> None:
    given = _numbers_given()
    with op.batch_alter_table('issues', table_kwargs=AS_MADE) as batch:
        batch.drop_constraint('uq_issues_newsletter_id_window_start_window_end', type_='unique')
    _keep_numbers(given)
    op.create_index('ix_issues_window', 'issues', WINDOW, unique=True, sqlite_where=LIVING, postgresql_where=LIVING)


def _numbers_given() -> int | None:
    """Return the last number an issue was given, which SQLite forgets when it copies a table."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return None
    return connection.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'issues'"))


def _keep_numbers(given: int | None) -> None:
    if given is None:
        return
    connection = op.get_bind()
    connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'issues'"))
    connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('issues', :given)"), {"given": given})


def downgrade() -> None:
    op.drop_index('ix_returned_mails_meaning_received_at', 'returned_mails')
    op.drop_index('ix_deliveries_unsent', 'deliveries')
    op.drop_index('ix_deliveries_settled', 'deliveries')
    # Before this one a window had one issue: of a week that was made again, the cancelled ones go.
    op.execute(sa.text(
        "DELETE FROM issues WHERE state = 'cancelled' AND EXISTS (SELECT 1 FROM issues AS newer WHERE "
        "newer.newsletter_id = issues.newsletter_id AND newer.window_start = issues.window_start AND "
        "newer.window_end = issues.window_end AND newer.id > issues.id)"
    ))
    op.drop_index('ix_issues_window', 'issues')
    given = _numbers_given()
    with op.batch_alter_table('issues', table_kwargs=AS_MADE) as batch:
        batch.create_unique_constraint('uq_issues_newsletter_id_window_start_window_end', WINDOW)
    _keep_numbers(given)
    for table in ('homes', 'holds', 'pauses'):
        op.drop_table(table)
