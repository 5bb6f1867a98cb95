"""Faults done to the program on purpose; each must end in the right result or in a clear error with nothing lost."""
