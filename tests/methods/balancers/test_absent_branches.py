"""The parameters of a task that is absent stay where they are, whatever the optimizer remembers."""

from pathlib import Path

import pytest
import torch

from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import assemble


@pytest.mark.parametrize("balancer", ["uniform", "mgda", "pcgrad", "nash-mtl", "config", "db-mtl", "mgda-ub", "imtl"])
def test_adam_does_not_move_the_branch_of_a_task_that_is_absent(balancer: str) -> None:
    request = Request(methods=[f"branches+{balancer}"], datasets=["toy-partial"], settings={}, seeds=[0])
    run = assemble(plan(request)[0], root=Path(), device=torch.device("cpu"))
    split, network = run.splits["train"], run.network
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)

    def step(rows: torch.Tensor) -> None:
        optimizer.zero_grad()
        run.balancer.backward(network, split.batch(rows))
        optimizer.step()

    rare = split.defined[:, 2]
    step(torch.cat([rare.nonzero().squeeze(1), torch.arange(16)]))  # so that Adam has momentum in every branch
    branch = [p for name, p in network.named_parameters() if name.startswith("branches.2.")]
    assert len(branch) == 4  # two layers
    before = [parameter.detach().clone() for parameter in branch]
    others = (~rare & split.defined[:, 0]).nonzero().squeeze(1)[:12]
    for _ in range(5):
        step(others)
    assert all(torch.equal(parameter, old) for parameter, old in zip(branch, before, strict=True))
