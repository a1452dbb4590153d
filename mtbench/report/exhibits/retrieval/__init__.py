"""Mean average precision of embeddings."""
