"""Records checked against what they were made from: stored predictions, labels, and training itself."""
