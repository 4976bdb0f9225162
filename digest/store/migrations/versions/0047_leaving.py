"""Unsubscriptions and why, what readers want less of, and what they said of articles.

Revision 0047, after 0046.
"""

import sqlalchemy as sa
from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('departures',
    sa.Column('id', BIG_ID, nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=True),
    sa.Column('at', MOMENT, nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('undone_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_departures_issue_id_issues'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_departures_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_departures_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_departures'))
    )
    op.create_index(op.f('ix_departures_issue_id'), 'departures', ['issue_id'])
    op.create_index(op.f('ix_departures_newsletter_id'), 'departures', ['newsletter_id'])
    op.create_index(op.f('ix_departures_subscriber_id'), 'departures', ['subscriber_id'])
    op.create_table('muted_topics',
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('topic_id', sa.Integer(), nullable=False),
    sa.Column('until', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_muted_topics_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['topic_id'], ['topics.id'], name=op.f('fk_muted_topics_topic_id_topics'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscriber_id', 'topic_id', name=op.f('pk_muted_topics'))
    )
    op.create_index(op.f('ix_muted_topics_topic_id'), 'muted_topics', ['topic_id'])
    op.create_table('single_topics',
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('topic_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_single_topics_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['topic_id'], ['topics.id'], name=op.f('fk_single_topics_topic_id_topics'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscriber_id', 'topic_id', name=op.f('pk_single_topics'))
    )
    op.create_index(op.f('ix_single_topics_topic_id'), 'single_topics', ['topic_id'])
    op.create_table('unwanted_sources',
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_unwanted_sources_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_unwanted_sources_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('newsletter_id', 'subscriber_id', 'source', name=op.f('pk_unwanted_sources'))
    )
    op.create_index(op.f('ix_unwanted_sources_subscriber_id'), 'unwanted_sources', ['subscriber_id'])
    op.create_table('feedback',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('is_useful', sa.Boolean(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_feedback_issue_id_issues'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_feedback_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_feedback_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'position', 'subscriber_id', name=op.f('pk_feedback'))
    )
    op.create_index('ix_feedback_newsletter_id_at', 'feedback', ['newsletter_id', 'at'])
    op.create_index(op.f('ix_feedback_subscriber_id'), 'feedback', ['subscriber_id'])


def downgrade() -> None:
    op.drop_table('feedback')
    op.drop_table('unwanted_sources')
    op.drop_table('single_topics')
    op.drop_table('muted_topics')
    op.drop_table('departures')
