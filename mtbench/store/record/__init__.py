"""The record of a run: its classes, their form on disk, and earlier formats."""

from mtbench.store.record.circumstances import Code, Cost, Environment, Fingerprints, Parameters, PhaseInfo
from mtbench.store.record.measured import (
    CEILING,
    DISTANCE,
    SELECTED,
    TRAINING_MACS,
    BatchMeans,
    Constant,
    CurvePoint,
    Measurement,
    StoredPredictions,
    TaskInfo,
    TaskResult,
    WeightRange,
)
from mtbench.store.record.record import FORMAT, Record, newer, read_record, render_record

__all__ = [
    "CEILING",
    "DISTANCE",
    "FORMAT",
    "SELECTED",
    "TRAINING_MACS",
    "BatchMeans",
    "Code",
    "Constant",
    "Cost",
    "CurvePoint",
    "Environment",
    "Fingerprints",
    "Measurement",
    "Parameters",
    "PhaseInfo",
    "Record",
    "StoredPredictions",
    "TaskInfo",
    "TaskResult",
    "WeightRange",
    "newer",
    "read_record",
    "render_record",
]
