"""Pictures of maps, of one value per pixel: classes, distances, directions, and the errors of predictions."""
