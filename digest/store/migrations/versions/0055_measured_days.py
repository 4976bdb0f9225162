"""How long readers were told that what is measured of them is kept: a longer term since is not theirs.

Revision 0055, after 0054. Who agreed before was told the setting of then, which nobody kept: it counts as 90
days, as it is set where nobody sets it. A shorter setting goes before, as ever.
"""

import sqlalchemy as sa
from alembic import op

revision = '0055'
down_revision = '0054'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
IN_90_DAYS = {'postgresql': "at + interval '90 days'", 'sqlite': "strftime('%Y-%m-%d %H:%M:%f000', at, '+90 days')"}


def upgrade() -> None:
    op.add_column('measured_readers', sa.Column('days', sa.Integer(), server_default='90', nullable=False))
    until = IN_90_DAYS[op.get_bind().dialect.name]
    for name in ('opens', 'followed_links'):
        op.add_column(name, sa.Column('until', MOMENT, nullable=True))
        op.execute(f'UPDATE {name} SET until = {until}')
        with op.batch_alter_table(name) as table:
            table.alter_column('until', existing_type=MOMENT, nullable=False)
            table.create_index(op.f(f'ix_{name}_until'), ['until'])
    with op.batch_alter_table('measured_readers') as readers:
        readers.alter_column('days', existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    for name in ('followed_links', 'opens'):
        with op.batch_alter_table(name) as table:
            table.drop_index(op.f(f'ix_{name}_until'))
            table.drop_column('until')
    op.drop_column('measured_readers', 'days')
