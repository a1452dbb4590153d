"""Numbers of records derived again from stored predictions and the labels of the dataset, without training."""
