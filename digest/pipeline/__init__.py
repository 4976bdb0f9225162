"""The whole chain for one newsletter: gather → condense → compose → approve → address → deliver.

A run is started by hand (`run`), rehearsed (`dry_run`) or driven by a schedule, stage by stage (`scheduled`).
All call the same stages, and every stage may be called again: a second run of a window finds the first
one's issue.
"""
