"""What readers who agreed opened and followed, and how many did.

Revision 0052, after 0051.
"""

import sqlalchemy as sa
from alembic import op

revision = '0052'
down_revision = '0051'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table('hits') as hits:
        hits.add_column(sa.Column('subscriber_id', sa.Integer(), nullable=True))
        hits.add_column(sa.Column('is_open', sa.Boolean(), server_default=sa.false(), nullable=False))
        hits.create_foreign_key(op.f('fk_hits_subscriber_id_subscribers'), 'subscribers', ['subscriber_id'], ['id'], ondelete='CASCADE')
        hits.create_index(op.f('ix_hits_subscriber_id'), ['subscriber_id'])
    op.create_table('opens',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_opens_issue_id_issues'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_opens_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'subscriber_id', name=op.f('pk_opens'))
    )
    op.create_index(op.f('ix_opens_subscriber_id'), 'opens', ['subscriber_id'])
    op.create_index(op.f('ix_opens_at'), 'opens', ['at'])
    op.create_table('followed_links',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('subscriber_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('topic', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_followed_links_issue_id_issues'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_followed_links_subscriber_id_subscribers'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', 'subscriber_id', 'position', name=op.f('pk_followed_links'))
    )
    op.create_index(op.f('ix_followed_links_subscriber_id'), 'followed_links', ['subscriber_id'])
    op.create_index(op.f('ix_followed_links_at'), 'followed_links', ['at'])
    op.create_table('issue_measures',
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('html', sa.Integer(), nullable=False),
    sa.Column('text', sa.Integer(), nullable=False),
    sa.Column('has_links', sa.Boolean(), nullable=False),
    sa.Column('opened', sa.Integer(), nullable=False),
    sa.Column('followed', sa.Integer(), nullable=False),
    sa.Column('left_out', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['issues.id'], name=op.f('fk_issue_measures_issue_id_issues'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('issue_id', name=op.f('pk_issue_measures'))
    )


def downgrade() -> None:
    op.drop_table('issue_measures')
    op.drop_table('followed_links')
    op.drop_table('opens')
    with op.batch_alter_table('hits') as hits:
        hits.drop_index(op.f('ix_hits_subscriber_id'))
        hits.drop_constraint(op.f('fk_hits_subscriber_id_subscribers'), type_='foreignkey')
        hits.drop_column('is_open')
        hits.drop_column('subscriber_id')
