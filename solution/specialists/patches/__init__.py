"""A specialist that reads four points by sorting patches: left eye, right eye, nose, mouth, elsewhere."""
