"""Lists of articles: feeds, sitemaps, pages of links, and how to find them."""
