"""Every call to a language model with its cost, who is asking one, what editors decided and what they handed back.

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('llm_calls',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=True),
    sa.Column('began_at', MOMENT, nullable=False),
    sa.Column('cost', sa.BigInteger(), nullable=False),
    sa.Column('input_tokens', sa.Integer(), nullable=False),
    sa.Column('output_tokens', sa.Integer(), nullable=False),
    sa.Column('is_known', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_llm_calls_article_id_articles'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_llm_calls_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_llm_calls'))
    )
    op.create_index(op.f('ix_llm_calls_newsletter_id_began_at'), 'llm_calls', ['newsletter_id', 'began_at'])
    op.create_index(op.f('ix_llm_calls_article_id'), 'llm_calls', ['article_id'])
    # What versions say they cost, as one call each. What broke off was never written down.
    op.execute(
        'INSERT INTO llm_calls (newsletter_id, article_id, began_at, cost, input_tokens, output_tokens, is_known) '
        'SELECT a.newsletter_id, a.id, c.made_at, c.cost, coalesce(c.input_tokens, 0), coalesce(c.output_tokens, 0), '
        'true FROM condensings c JOIN articles a ON a.id = c.article_id '
        'WHERE c.cost IS NOT NULL AND NOT (c.cost = 0 AND coalesce(c.was_cached, false)) '
        'ORDER BY c.made_at, a.id, c.version'
    )
    op.create_table('llm_claims',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('owner', sa.String(length=32), nullable=False),
    sa.Column('until', MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_llm_claims'))
    )
    op.create_index(op.f('ix_llm_claims_owner'), 'llm_claims', ['owner'])
    op.create_table('decisions',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=True),
    sa.Column('topic', sa.String(length=64), nullable=False),
    sa.Column('word', sa.String(length=8), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_decisions_article_id_articles'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_decisions_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_decisions'))
    )
    op.create_index(op.f('ix_decisions_article_id'), 'decisions', ['article_id'])
    op.create_index(op.f('ix_decisions_issue_id'), 'decisions', ['issue_id'])
    # The words that stand now; what they replaced was not kept.
    op.execute(
        'INSERT INTO decisions (article_id, issue_id, topic, word, "by", "at") '
        "SELECT v.article_id, NULL, t.slug, CASE WHEN v.is_yes THEN 'yes' ELSE 'no' END, v.\"by\", v.\"at\" "
        'FROM verdicts v JOIN topics t ON t.id = v.topic_id ORDER BY v."at", v.article_id, t.position'
    )
    op.execute(
        'INSERT INTO decisions (article_id, issue_id, topic, word, "by", "at") '
        "SELECT article_id, issue_id, '', kind, \"by\", \"at\" FROM pins ORDER BY \"at\", issue_id, article_id"
    )
    # Never in a batch: that would copy the table on SQLite.
    op.add_column('condensings', sa.Column('released_by', sa.String(length=200), nullable=False, server_default=''))
    op.add_column('condensings', sa.Column('released_at', MOMENT, nullable=True))


def downgrade() -> None:
    op.drop_column('condensings', 'released_at')
    op.drop_column('condensings', 'released_by')
    op.drop_table('decisions')
    op.drop_table('llm_claims')
    op.drop_table('llm_calls')
