"""Every figure of a run, computed and not drawn."""
