"""One prediction from all specialists: a blend, a stack, and the choice of the better one."""
