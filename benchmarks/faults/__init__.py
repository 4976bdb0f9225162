"""The faults that a send must survive: each injected into real processes, and what it left counted."""
