"""A training that is stopped as if by Ctrl-C."""

import pytest

from solution.runtime import checkpoint


def stop_after(patch: pytest.MonkeyPatch, epochs: int) -> None:
    """Press Ctrl-C after this many saved epochs, once."""
    save, saved = checkpoint.save, []

    def save_and_stop(*arguments: object) -> None:
        save(*arguments)
        saved.append(1)
        if len(saved) == epochs:
            raise KeyboardInterrupt

    patch.setattr(checkpoint, "save", save_and_stop)
