#!/usr/bin/env bash
# optuna 5.0.0: WilcoxonPruner tests pairs, and then overrules its test by a mean that takes no pairs: that of the steps
# so far against that of all steps of the best trial. Where easy steps come first, it hardly ever prunes.
#
# Guess: a trial that is worse than the best one at each step is pruned as soon as the signed-rank test's p falls below
# the threshold: with .1, after the fourth step (1 / 16), whatever the steps' own levels and order.
# Behaviour: so it is where hard steps come first. With the same losses in rising order p falls to 1 / 16 at the fourth
# step too, and the trial goes on, for its mean of easy steps looks better than the best trial's mean of all:
#   losses 0 to 29, a trial worse by 1 at each step, pruned after
#   hard first   4 of 30 steps
#   easy first   29 of 30 steps
# The documentation advises to shuffle the steps, for another reason: that a search may overfit to the first of them.
#
# Fails if easy steps first prune before half of the steps, or hard steps first do not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet optuna==5.0.0 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import optuna
from scipy.stats import wilcoxon

optuna.logging.set_verbosity(optuna.logging.ERROR)
STEPS = 30


def steps_until_pruned(order: list[int]) -> int:
    study = optuna.create_study(pruner=optuna.pruners.WilcoxonPruner(p_threshold=0.1))
    taken = []

    def objective(trial: optuna.Trial) -> float:
        losses = []
        for step in order:
            losses.append(step + float(trial.number > 0))
            trial.report(losses[-1], step)
            if trial.should_prune():
                break
        taken.append(len(losses))
        return sum(losses) / len(losses)

    study.optimize(objective, n_trials=2)
    assert taken[0] == STEPS
    return taken[1]


p = [wilcoxon([1.0] * steps, alternative="greater").pvalue for steps in (3, 4)]
hard, easy = (steps_until_pruned(order) for order in (list(range(STEPS))[::-1], list(range(STEPS))))
print(f"p after 3 and 4 steps: {p[0]:.4f}, {p[1]:.4f}")
print(f"hard first   {hard} of {STEPS} steps")
print(f"easy first   {easy} of {STEPS} steps")
assert p[0] > 0.1 > p[1]
assert hard < STEPS / 2, "hard steps first do not prune any more"
assert easy > STEPS / 2, "easy steps first prune now"
PYTHON
