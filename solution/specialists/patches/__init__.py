"""A specialist that reads four points by classifying patches: left eye, right eye, nose, mouth, elsewhere."""
