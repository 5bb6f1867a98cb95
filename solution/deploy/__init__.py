"""A trained network for other programs, and for pictures and videos of any kind."""
