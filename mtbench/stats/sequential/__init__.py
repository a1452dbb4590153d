"""Claims that are judged after several looks at growing numbers of seeds, with controlled error rates."""
