"""One prediction from all specialists: blended, stacked, and the better of both chosen."""
