"""Real servers for tests and benchmarks, each on a free port of the loopback and gone with its parent."""
