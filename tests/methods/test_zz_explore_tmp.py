import copy, time, dataclasses
from pathlib import Path
import pytest, torch
from mtbench.plan.grid import Request, plan
from mtbench.train.assemble import assemble
from mtbench.train.cost import parts, count_macs
from mtbench.train.evaluate import evaluate
M = ["film","tensormod","tensormod:where=image","routing","superposition","superposition:context=complex","superposition:context=rotation","astmt","astmt:se=false:adapters=false:task_norm=false:adversarial=false"]
BAL = ["uniform","mgda","pcgrad","famo","gradnorm","uncertainty"]
@pytest.mark.parametrize("m",M)
@pytest.mark.parametrize("d,b",[("toy-all",""),("toy-partial",""),("toy-numbers",""),("toy-maps",""),("toy-triplets",""),("toy-all","resnet18:width=.125"),("toy-partial","vgg11:width=.125"),("toy-partial","mlp:width=20")])
@pytest.mark.parametrize("tpi",["one","all"])
def test_x(m,d,b,tpi):
    for bal in BAL[:2]:
        spec = plan(Request(methods=[f"{m}+{bal}"],datasets=[d],settings={"tasks_per_image":tpi},seeds=[0],backbone=b))[0]
        run = assemble(spec, root=Path(), device=torch.device("cpu"))
        net = run.network
        sp = run.splits["train"]
        rows = torch.arange(16)
        drawn = None if tpi=="all" else torch.arange(16) % len(run.tasks)
        opt = torch.optim.SGD(net.parameters(), lr=1e-3)
        torch.manual_seed(0)
        for e in range(2):
            net.begin_epoch(e,2)
            opt.zero_grad()
            l = run.balancer.backward(net, sp.batch(rows, drawn))
            assert torch.isfinite(l.means).all()
            for n,p in net.named_parameters():
                if p.grad is None: print("NONE", m, n)
                else: assert torch.isfinite(p.grad).all(), n
            opt.step()
        # one label
        one = sp.batch(rows[:1], None if drawn is None else drawn[:1]); opt.zero_grad(); run.balancer.backward(net, one)
        evaluate(net, sp)
        other = copy.deepcopy(net).eval(); net.eval()
        b_ = sp.batch(rows)
        for a,c in zip(net.every_task(b_.inputs), other.every_task(b_.inputs)): assert torch.equal(a,c)
        for p in other.parameters(): p.data.add_(1)
        count_macs(net, sp.batch(rows[:1]).inputs)
        print([(p.name,p.weights,p.total,p.per_task) for p in parts(net)])
        net.last_shared_layer()
