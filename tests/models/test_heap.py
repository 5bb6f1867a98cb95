"""That no network's layer writes where it must not, told by glibc's own checks of the heap."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import solution

CHECKER = Path("/lib/x86_64-linux-gnu/libc_malloc_debug.so.0")
STEPS = """
import torch
from solution.models.unet import Residual

torch.set_num_threads(1)
narrow = [(2, 4), (4, 4), (8, 16), (12, 16), (16, 32)]
for low, (inside, outside) in [(low, widths) for low in (False, True) for widths in narrow]:
    block = Residual(inside, outside, stride=2).to(memory_format=torch.channels_last)
    for _ in range(4):
        x = torch.randn(16, inside, 48, 48).contiguous(memory_format=torch.channels_last).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            y = block(x)
        y.backward(torch.randn_like(y))
        others = [torch.zeros(size) for size in (10, 1000, 50000)]  # neighbours whose marks would be damaged
        del x, y, others
"""


@pytest.mark.skipif(not CHECKER.exists(), reason="glibc's libc_malloc_debug is not installed")
def test_a_block_writes_within_its_tensors():
    checked = {"LD_PRELOAD": str(CHECKER), "GLIBC_TUNABLES": "glibc.malloc.check=3", "OMP_NUM_THREADS": "1"}
    place = Path(solution.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", STEPS], env=os.environ | checked, cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
