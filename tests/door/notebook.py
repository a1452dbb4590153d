"""Run, load, compare and plot, as in a notebook."""

import matplotlib.pyplot as plt

import mtbench

mtbench.run(methods=["uniform", "moo"], dataset="toy2", seeds=3, epochs=2, images=50)
frame = mtbench.load("results/local")
test = frame[(frame.split == "test") & frame.primary & (frame.task != "mean")]
print(test.pivot_table(index="method", columns="task", values="value"))  # noqa: T201
print(mtbench.compare("results/local", "moo", "uniform")[["task", "difference", "low", "high", "p_holm"]])  # noqa: T201
curves = mtbench.curves("results/local").query("split == 'test' and metric == 'objective'")
losses = curves.pivot_table(index="epoch", columns=["method", "task"], values="loss")
losses.plot(ylabel="test loss")
plt.savefig("curves.png")
