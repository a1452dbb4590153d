"""Networks, and the parts that they are built of."""
