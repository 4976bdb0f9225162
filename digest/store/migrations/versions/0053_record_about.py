"""The record is found by what an entry is about: a reader asks for their own.

Revision 0053, after 0052.
"""

from alembic import op

revision = '0053'
down_revision = '0052'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_audit_about', 'audit', ['about'])


def downgrade() -> None:
    op.drop_index('ix_audit_about', 'audit')
