"""The journal of a study: its trials as Optuna keeps them, and its comparison with sealed records."""
