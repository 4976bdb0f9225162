"""What an issue said, its topics and its number, and what of it the public archive shows.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('issue_contents',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_issue_contents_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', name=op.f('pk_issue_contents'))
    )
    op.create_table('issue_topics',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('articles', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_issue_topics_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'slug', name=op.f('pk_issue_topics'))
    )
    op.create_table('hidden_items',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_hidden_items_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'position', name=op.f('pk_hidden_items'))
    )

    # Never in a batch: that would copy the tables on SQLite, and give ids of removed rows to the next ones from then on.
    op.add_column('newsletters', sa.Column('archive', sa.Boolean(), nullable=False, server_default=sa.text('false')))
    op.add_column('newsletters', sa.Column('archive_changed_at', MOMENT, nullable=True))
    op.add_column('issues', sa.Column('number', sa.Integer(), nullable=True))
    op.add_column('issues', sa.Column('hidden_at', MOMENT, nullable=True))
    op.add_column('issues', sa.Column('hidden_by', sa.String(length=200), nullable=False, server_default=''))
    # As mails counted until now: by window.
    op.execute(
        'UPDATE issues SET number = counted.number FROM ('
        'SELECT id, row_number() OVER (PARTITION BY newsletter_id ORDER BY window_end, id) AS number FROM issues '
        "WHERE revision > 0 AND state NOT IN ('draft', 'cancelled')) AS counted WHERE counted.id = issues.id"
    )
    op.create_index(op.f('ix_issues_newsletter_id_number'), 'issues', ['newsletter_id', 'number'], unique=True)


def downgrade() -> None:
    op.drop_index(op.f('ix_issues_newsletter_id_number'), table_name='issues')
    for name in ('hidden_by', 'hidden_at', 'number'):
        op.drop_column('issues', name)
    for name in ('archive_changed_at', 'archive'):
        op.drop_column('newsletters', name)
    op.drop_table('hidden_items')
    op.drop_table('issue_topics')
    op.drop_table('issue_contents')
