"""Which settings suit a method: trials that are ordinary runs, proposed by Optuna and chosen on validation alone."""
