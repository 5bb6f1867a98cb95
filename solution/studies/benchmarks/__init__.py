"""How fast each stage is on this machine, kept as numbers that a later run can be compared with."""
