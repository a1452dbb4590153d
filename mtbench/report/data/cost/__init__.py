"""Cost of methods: what their training took, and the size of their networks."""
