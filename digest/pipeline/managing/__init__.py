"""What editors and admins keep: newsletters, sources, topics and looks, by the same rules wherever asked."""
