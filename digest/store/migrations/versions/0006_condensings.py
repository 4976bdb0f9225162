"""Versions of takeaways: who made them, of which text, with what model; and how a newsletter wants them.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# What newsletters that are there get in the new columns: as it was until now.
NEWSLETTERS = {
    'takeaway_words': (sa.Integer(), '35'),
    'takeaway_style': (sa.String(length=16), "'neutral'"),
    'llm': (sa.Boolean(), 'false'),
}


def upgrade() -> None:
    op.create_table('condensings',
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('made_at', MOMENT, nullable=False),
    sa.Column('made_by', sa.String(length=200), nullable=False),
    sa.Column('made_from', sa.Integer(), nullable=True),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('why_none', sa.Text(), nullable=False),
    sa.Column('rejected', JSON, nullable=False),
    sa.Column('input_tokens', sa.Integer(), nullable=True),
    sa.Column('output_tokens', sa.Integer(), nullable=True),
    sa.Column('cost', sa.BigInteger(), nullable=True),
    sa.Column('was_cached', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_condensings_article_id_articles'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('article_id', 'version', name=op.f('pk_condensings'))
    )
    # What is there becomes version 1. When it was made was not kept; its text was read then or before.
    op.execute(
        'INSERT INTO condensings (article_id, version, made_at, made_by, content_hash, note, why_none, rejected) '
        "SELECT id, 1, read_at, '', coalesce(condensed_hash, content_hash), '', why_none, '[]' FROM articles a "
        "WHERE condensed_hash IS NOT NULL OR why_none <> '' "
        'OR EXISTS (SELECT 1 FROM takeaways t WHERE t.article_id = a.id)'
    )
    _make_anew(
        'takeaways',
        'article_id, version, position, text, origin, support, model, prompt',
        "article_id, 1, position, text, origin, support, '', ''",
        sa.Column('article_id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('origin', sa.String(length=16), nullable=False),
        sa.Column('support', JSON, nullable=False),
        sa.Column('model', sa.String(length=200), nullable=False),
        sa.Column('prompt', sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_takeaways_article_id_articles'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['article_id', 'version'], ['condensings.article_id', 'condensings.version'], name='fk_takeaways_version_condensings', ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('article_id', 'version', 'position', name=op.f('pk_takeaways')),
    )
    with op.batch_alter_table('articles', schema=None) as batch_op:
        batch_op.add_column(sa.Column('takeaways_version', sa.Integer(), nullable=True))
        batch_op.drop_column('why_none')
    op.execute('UPDATE articles SET takeaways_version = 1 WHERE id IN (SELECT article_id FROM condensings)')

    # Never in a batch: that would copy the table on SQLite, and it would give the id of a removed newsletter to the
    # next one from then on.
    for name, (kind, value) in NEWSLETTERS.items():
        op.add_column('newsletters', sa.Column(name, kind, nullable=False, server_default=sa.text(value)))


def downgrade() -> None:
    for name in NEWSLETTERS:
        op.drop_column('newsletters', name)

    with op.batch_alter_table('articles', schema=None) as batch_op:
        batch_op.add_column(sa.Column('why_none', sa.Text(), nullable=False, server_default=''))
    op.execute(
        'UPDATE articles SET why_none = (SELECT why_none FROM condensings c WHERE c.article_id = articles.id '
        'AND c.version = articles.takeaways_version) WHERE takeaways_version IS NOT NULL'
    )
    # Only what holds is kept.
    op.execute(
        'DELETE FROM takeaways WHERE version <> '
        '(SELECT takeaways_version FROM articles a WHERE a.id = takeaways.article_id)'
    )
    _make_anew(
        'takeaways',
        'article_id, position, text, origin, support',
        'article_id, position, text, origin, support',
        sa.Column('article_id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('origin', sa.String(length=16), nullable=False),
        sa.Column('support', JSON, nullable=False),
        sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_takeaways_article_id_articles'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('article_id', 'position', name=op.f('pk_takeaways')),
    )
    op.drop_table('condensings')
    with op.batch_alter_table('articles', schema=None) as batch_op:
        batch_op.alter_column('why_none', existing_type=sa.Text(), existing_nullable=False, server_default=None)
        batch_op.drop_column('takeaways_version')


def _make_anew(table: str, columns: str, values: str, *parts: sa.Column | sa.Constraint) -> None:
    """Make a table of another primary key out of its own rows: constraints of two cannot share names."""
    op.execute(f'CREATE TABLE {table}_before AS SELECT * FROM {table}')
    op.drop_table(table)
    op.create_table(table, *parts)
    op.execute(f'INSERT INTO {table} ({columns}) SELECT {values} FROM {table}_before')
    op.drop_table(f'{table}_before')
