"""The main job on sample data: a newsroom, subscribers and a mail catcher, all on loopback."""
