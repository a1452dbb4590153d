"""Search for settings that suit a method: trials are ordinary runs, proposed by Optuna, chosen on validation alone."""
