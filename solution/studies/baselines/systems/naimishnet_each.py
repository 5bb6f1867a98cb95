"""NaimishNet as it was published: one network for each point. The fifteen networks share the time of one."""

from dataclasses import replace

from solution.studies.baselines.systems import naimishnet

SYSTEM = replace(
    naimishnet.SYSTEM,
    name="naimishnet_each",
    title="NaimishNet, one a point",
    idea="the same network fifteen times, each for one point",
    each_point=True,
)
