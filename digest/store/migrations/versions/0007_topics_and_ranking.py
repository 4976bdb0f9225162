"""Topics by query and within topics, what editors decided of them, what was learned; pins, and why items score.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('topics', schema=None) as batch_op:
        batch_op.add_column(sa.Column('query', sa.Text(), nullable=False, server_default=sa.text("''")))
        batch_op.add_column(sa.Column('parent_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f('fk_topics_parent_id_topics'), 'topics', ['parent_id'], ['id'], ondelete='SET NULL')
    with op.batch_alter_table('topics', schema=None) as batch_op:
        batch_op.alter_column('query', existing_type=sa.Text(), existing_nullable=False, server_default=None)
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('parts', JSON, nullable=False, server_default=sa.text("'[]'")))
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.alter_column('parts', existing_type=JSON, existing_nullable=False, server_default=None)
    op.create_table('verdicts',
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('topic_id', sa.Integer(), nullable=False),
    sa.Column('is_yes', sa.Boolean(), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_verdicts_article_id_articles'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['topic_id'], ['topics.id'], name=op.f('fk_verdicts_topic_id_topics'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('article_id', 'topic_id', name=op.f('pk_verdicts'))
    )
    op.create_index(op.f('ix_verdicts_topic_id'), 'verdicts', ['topic_id'])
    op.create_table('topic_models',
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('learned_from', JSON, nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_topic_models_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('newsletter_id', name=op.f('pk_topic_models'))
    )
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


def downgrade() -> None:
    op.drop_table('pins')
    op.drop_table('topic_models')
    op.drop_table('verdicts')
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.drop_column('parts')
    with op.batch_alter_table('topics', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_topics_parent_id_topics'), type_='foreignkey')
        batch_op.drop_column('parent_id')
        batch_op.drop_column('query')
