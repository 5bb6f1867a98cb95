"""Drawn faces: the competition's files with painted pictures, planted label flaws, and the truth about both."""

from solution.data.synthetic.settings import DrawnSettings
from solution.data.synthetic.slots import draw_faces
from solution.data.synthetic.write import ensure_drawn, write_drawn

__all__ = ["DrawnSettings", "draw_faces", "ensure_drawn", "write_drawn"]
