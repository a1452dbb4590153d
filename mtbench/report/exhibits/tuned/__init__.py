"""Methods at settings that a search chose for each."""
