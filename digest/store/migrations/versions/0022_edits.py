"""The log of what editors do to an issue, which what they pin and drop is now a part of.

Revision 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('edits',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('act', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=16), nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=True),
    sa.Column('before', sa.Text(), nullable=False),
    sa.Column('after', sa.Text(), nullable=False),
    sa.Column('undoes', sa.Integer(), nullable=True),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_edits_article_id_articles'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_edits_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_edits')),
    sa.UniqueConstraint('issue_id', 'number', name=op.f('uq_edits_issue_id_number'))
    )
    op.create_index(op.f('ix_edits_article_id'), 'edits', ['article_id'])
    # What stands now; what it replaced is told by the record of decisions.
    op.execute(
        'INSERT INTO edits (issue_id, number, act, field, article_id, before, after, "by", "at") '
        "SELECT issue_id, place, place, 'wish', article_id, '', kind, \"by\", \"at\" FROM ("
        'SELECT issue_id, article_id, kind, "by", "at", '
        'row_number() OVER (PARTITION BY issue_id ORDER BY "at", article_id) AS place FROM pins) AS told '
        'ORDER BY "at", issue_id, place'
    )
    op.drop_table('pins')


def downgrade() -> None:
    op.create_table('pins',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=8), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_pins_article_id_articles'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_pins_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'article_id', name=op.f('pk_pins'))
    )
    op.create_index(op.f('ix_pins_article_id'), 'pins', ['article_id'])
    op.execute(
        'INSERT INTO pins (issue_id, article_id, kind, "by", "at") '
        'SELECT issue_id, article_id, after, "by", "at" FROM edits AS last '
        "WHERE field = 'wish' AND after <> '' AND NOT EXISTS (SELECT 1 FROM edits AS later WHERE "
        "later.issue_id = last.issue_id AND later.article_id = last.article_id AND later.field = 'wish' "
        'AND later.number > last.number)'
    )
    op.drop_table('edits')
