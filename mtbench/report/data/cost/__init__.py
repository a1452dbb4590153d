"""Cost of methods: what their training and their searches took, and the size of their networks."""
