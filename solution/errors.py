"""Errors a person can act on. The command line prints the message alone and exits with 2."""


class UserError(Exception):
    """What was expected, what came, and what to do next; with the file and row where there is one."""
