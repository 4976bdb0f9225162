"""How polls of sources go, what their articles may be used for, and the addresses and texts of articles.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

# What rows that are there get in the new columns.
ARTICLES = {
    'note': (sa.Text(), "''"),
    'is_partial': (sa.Boolean(), 'false'),
    'reservation': (sa.Text(), "''"),
    'revision': (sa.Integer(), '1'),
    'added_by': (sa.String(length=200), "''"),
    'given_topics': (JSON, "'[]'"),
}
SOURCES = {
    'weight': (sa.Double(), '1'),
    'excerpt': (sa.String(length=16), "'takeaways'"),
    'state': (sa.String(length=16), "'active'"),
    'moved_from': (sa.String(length=2048), "''"),
    'reservation': (sa.Text(), "''"),
    'interval': (sa.Integer(), '3600'),
    'failures': (sa.Integer(), '0'),
}
MOMENTS = ('new_at', 'next_poll_at', 'fresh_until', 'wait_until', 'failing_since', 'alerted_at')


def upgrade() -> None:
    op.create_table('hosts',
    sa.Column('origin', sa.String(length=300), nullable=False),
    sa.Column('robots', sa.Text(), nullable=False),
    sa.Column('tdmrep', sa.Text(), nullable=False),
    sa.Column('fetched_at', MOMENT, nullable=True),
    sa.Column('ask_at', MOMENT, nullable=False),
    sa.Column('error', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('origin', name=op.f('pk_hosts'))
    )
    op.create_table('article_revisions',
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('blocks', JSON, nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False),
    sa.Column('read_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_article_revisions_article_id_articles'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('article_id', 'revision', name=op.f('pk_article_revisions'))
    )
    op.create_table('article_urls',
    sa.Column('newsletter_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=2048), nullable=False),
    sa.Column('article_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['articles.id'], name=op.f('fk_article_urls_article_id_articles'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['newsletter_id'], ['newsletters.id'], name=op.f('fk_article_urls_newsletter_id_newsletters'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('newsletter_id', 'key', name=op.f('pk_article_urls'))
    )
    with op.batch_alter_table('article_urls', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_article_urls_article_id'), ['article_id'], unique=False)
    op.execute('INSERT INTO article_urls (newsletter_id, key, article_id) SELECT newsletter_id, url, id FROM articles')

    op.create_table('passed_links',
    sa.Column('source_id', sa.Integer(), nullable=False),
    sa.Column('url', sa.String(length=2048), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('published_at', MOMENT, nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_try_at', MOMENT, nullable=True),
    sa.Column('recorded_at', MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['sources.id'], name=op.f('fk_passed_links_source_id_sources'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('source_id', 'url', name=op.f('pk_passed_links'))
    )

    with op.batch_alter_table('articles', schema=None) as batch_op:
        for name, (kind, value) in ARTICLES.items():
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=sa.text(value)))
        batch_op.add_column(sa.Column('counted_at', MOMENT, nullable=True))
        batch_op.add_column(sa.Column('read_at', MOMENT, nullable=True))
        batch_op.add_column(sa.Column('copies_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_articles_copies_id_articles'), 'articles', ['copies_id'], ['id'], ondelete='SET NULL')
    op.execute('UPDATE articles SET counted_at = published_at, read_at = first_seen_at')
    with op.batch_alter_table('articles', schema=None) as batch_op:
        for name, (kind, _) in ARTICLES.items():
            batch_op.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
        batch_op.alter_column('counted_at', existing_type=MOMENT, nullable=False)
        batch_op.alter_column('read_at', existing_type=MOMENT, nullable=False)
        batch_op.drop_index(batch_op.f('ix_articles_newsletter_id_published_at'))
        batch_op.create_index('ix_articles_newsletter_id_content_hash', ['newsletter_id', 'content_hash'], unique=False)
        batch_op.create_index(batch_op.f('ix_articles_newsletter_id_counted_at'), ['newsletter_id', 'counted_at'], unique=False)

    with op.batch_alter_table('sightings', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mark', sa.String(length=64), nullable=False, server_default=''))
    with op.batch_alter_table('sightings', schema=None) as batch_op:
        batch_op.alter_column('mark', existing_type=sa.String(length=64), existing_nullable=False, server_default=None)

    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.add_column(sa.Column('language', sa.String(length=16), nullable=True))
        for name in MOMENTS:
            batch_op.add_column(sa.Column(name, MOMENT, nullable=True))
        for name, (kind, value) in SOURCES.items():
            batch_op.add_column(sa.Column(name, kind, nullable=False, server_default=sa.text(value)))
    with op.batch_alter_table('sources', schema=None) as batch_op:
        for name, (kind, _) in SOURCES.items():
            batch_op.alter_column(name, existing_type=kind, existing_nullable=False, server_default=None)
        batch_op.create_index(batch_op.f('ix_sources_next_poll_at'), ['next_poll_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('sources', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sources_next_poll_at'))
        for name in ('language', *MOMENTS, *SOURCES):
            batch_op.drop_column(name)

    with op.batch_alter_table('sightings', schema=None) as batch_op:
        batch_op.drop_column('mark')

    with op.batch_alter_table('articles', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_articles_newsletter_id_counted_at'))
        batch_op.drop_index('ix_articles_newsletter_id_content_hash')
        batch_op.create_index(batch_op.f('ix_articles_newsletter_id_published_at'), ['newsletter_id', 'published_at'], unique=False)
        batch_op.drop_constraint(batch_op.f('fk_articles_copies_id_articles'), type_='foreignkey')
        for name in ('counted_at', 'read_at', 'copies_id', *ARTICLES):
            batch_op.drop_column(name)

    op.drop_table('passed_links')
    with op.batch_alter_table('article_urls', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_article_urls_article_id'))
    op.drop_table('article_urls')
    op.drop_table('article_revisions')
    op.drop_table('hosts')
