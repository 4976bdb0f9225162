"""Sources to articles: fetch politely and safely, read feeds and pages, know each article once."""
