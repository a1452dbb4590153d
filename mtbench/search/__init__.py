"""Search of settings for a method: trials are ordinary runs, proposed by Optuna, chosen on validation alone."""
