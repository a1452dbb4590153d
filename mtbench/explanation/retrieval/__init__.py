"""Pages on networks of embeddings: the nearest images of queries, and triplets."""
