"""Addressing at scale: deliveries are written in bulk, so no key of theirs is looked up a million times.

Revision 0014, after 0013.
"""

from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

ISSUES_KEY = 'fk_deliveries_issue_id_issues'


def upgrade() -> None:
    with op.batch_alter_table('deliveries') as batch:
        batch.drop_constraint(ISSUES_KEY, type_='foreignkey')


def downgrade() -> None:
    with op.batch_alter_table('deliveries') as batch:
        batch.create_foreign_key(ISSUES_KEY, 'issues', ['issue_id'], ['id'], ondelete='CASCADE')
