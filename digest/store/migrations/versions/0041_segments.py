"""Segments of readers, what they may ask for, which issues were for them, and since when somebody subscribes.

Revision 0041, after 0040.
"""

import sqlalchemy as sa
from alembic import op

revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('segments',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('readers', sa.Integer(), nullable=True),
    sa.Column('counted_at', MOMENT, nullable=True),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_segments_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_segments')),
    sa.UniqueConstraint('newsletter_id', 'slug', name=op.f('uq_segments_newsletter_id_slug'))
    )
    op.create_table('attributes',
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('value', sa.String(length=200), nullable=False),
    sa.Column('folded', sa.String(length=600), nullable=False),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_attributes_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_attributes_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscriber_id', 'newsletter_id', 'key', name=op.f('pk_attributes'))
    )
    op.create_table('issue_segments',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=16), nullable=False),
    sa.Column('slug', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_issue_segments_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'field', name=op.f('pk_issue_segments'))
    )
    op.create_index('ix_attributes_values', 'attributes', ['newsletter_id', 'key', 'folded'])
    op.add_column('subscriptions', sa.Column('joined_at', MOMENT, nullable=True))
    op.execute('UPDATE subscriptions SET joined_at = changed_at')


def downgrade() -> None:
    op.drop_column('subscriptions', 'joined_at')
    op.drop_table('issue_segments')
    op.drop_table('attributes')
    op.drop_table('segments')
