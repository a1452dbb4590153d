#!/usr/bin/env bash
# optuna 5.0.0: importances of parameters by forests depend on the unit of the objective. Where its standard deviation
# comes to some 1e-8, they name one parameter alone, then none.
#
# Guess: importances are shares of the objective's variance, which no unit changes.
# Behaviour: optuna hands the values to the trees of scikit-learn as they are. Those split no node of a variance below
# 2.2e-16, in the unit squared. For 4 x + 2 y + z / 2 at 60 random points of a cube, importances of x, y and z by unit:
#            fANOVA                  mean decrease of impurity  PED-ANOVA (by ranks)
#   1        0.907   0.088   0.004   0.865   0.120   0.015      0.938   0.007   0.055
#   0.0001   0.908   0.087   0.004   0.865   0.120   0.015      0.938   0.007   0.055
#   4e-08    0.950   0.049   0.001   0.898   0.100   0.002      0.938   0.007   0.055
#   2e-08    0.998   0.002   0.000   0.992   0.008   0.000      0.938   0.007   0.055
#   1e-08    RuntimeError            0.333   0.333   0.333      0.938   0.007   0.055
# A squared error of a tenth of a millimeter, in meters, is that small. Nothing warns. What fANOVA raises in the end is
# "Encountered zero total variance in all trees."
#
# Fails if the importances by forests are the same in all units, or those of PED-ANOVA are not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet optuna==5.0.0 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.importance import (
    FanovaImportanceEvaluator,
    MeanDecreaseImpurityImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)

optuna.logging.set_verbosity(optuna.logging.ERROR)
EVALUATORS = FanovaImportanceEvaluator, MeanDecreaseImpurityImportanceEvaluator, PedAnovaImportanceEvaluator
UNITS = 1.0, 1e-4, 4e-8, 2e-8, 1e-8
points = np.random.default_rng(0).random((60, 3))
ranges = dict.fromkeys("xyz", FloatDistribution(0, 1))


def shares(evaluator_class: type, unit: float) -> list[float] | str:
    study = optuna.create_study()
    for x, y, z in points.tolist():
        value = (4 * x + 2 * y + z / 2) * unit
        study.add_trial(optuna.create_trial(params={"x": x, "y": y, "z": z}, distributions=ranges, value=value))
    evaluator = evaluator_class() if evaluator_class is PedAnovaImportanceEvaluator else evaluator_class(seed=0)
    try:
        found = get_param_importances(study, evaluator=evaluator)
    except RuntimeError as raised:
        return str(raised)
    return [round(float(found[name]), 3) for name in "xyz"]


found = {(unit, evaluator): shares(evaluator, unit) for unit in UNITS for evaluator in EVALUATORS}
for unit in UNITS:
    print(f"{unit:<6g}", *(str(found[unit, evaluator]) for evaluator in EVALUATORS), sep="  ")
fanova, decrease, by_ranks = EVALUATORS
assert len({str(found[unit, by_ranks]) for unit in UNITS}) == 1, "PED-ANOVA depends on the unit now"
for evaluator in (fanova, decrease):
    assert np.allclose(found[1.0, evaluator], found[1e-4, evaluator], atol=0.02)
    assert found[2e-8, evaluator][0] > found[1.0, evaluator][0] + 0.05, "the unit does not matter now"
assert "zero total variance" in found[1e-8, fanova], "fANOVA takes small values now"
assert len(set(found[1e-8, decrease])) == 1, "the decrease of impurity takes small values now"
PYTHON
