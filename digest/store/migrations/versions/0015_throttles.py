"""How fast mail leaves: slots of caps, what receivers put up with, who runs a domain's mail, quiet hours.

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table('throttles',
    sa.Column('scope', sa.String(length=8), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('last', sa.Double(), nullable=False),
    sa.Column('promised', sa.Double(), nullable=False),
    sa.Column('minute', sa.Integer(), nullable=False),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.Column('before', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('scope', 'name', name=op.f('pk_throttles'))
    )
    op.create_table('warm_up_days',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_warm_up_days'))
    )
    op.create_table('mail_domains',
    sa.Column('domain', sa.String(length=255), nullable=False),
    sa.Column('group', sa.String(length=255), nullable=False),
    sa.Column('looked_up_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('domain', name=op.f('pk_mail_domains'))
    )
    op.create_index(op.f('ix_mail_domains_group'), 'mail_domains', ['group'])
    op.create_index(op.f('ix_mail_domains_looked_up_at'), 'mail_domains', ['looked_up_at'])
    op.create_table('receivers',
    sa.Column('group', sa.String(length=255), nullable=False),
    sa.Column('since', MOMENT, nullable=False),
    sa.Column('answers', sa.Integer(), nullable=False),
    sa.Column('slowed', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.Column('halved_at', MOMENT, nullable=True),
    sa.Column('halved_why', sa.Text(), nullable=False),
    sa.Column('reduced', sa.Double(), nullable=True),
    sa.Column('full', sa.Double(), nullable=True),
    sa.Column('paused_at', MOMENT, nullable=True),
    sa.Column('paused_why', sa.Text(), nullable=False),
    sa.Column('told_at', MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('group', name=op.f('pk_receivers'))
    )
    op.add_column('newsletters', sa.Column('quiet_hours', sa.String(length=11), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('newsletters', 'quiet_hours')
    for table in ('receivers', 'mail_domains', 'warm_up_days', 'throttles'):
        op.drop_table(table)
