"""The page of a method's certificate: its checks, its verdicts against references, and the budgets of all."""
