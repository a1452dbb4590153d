"""Pages on networks of maps: truth, prediction and error of test images, chosen by the metrics of each image."""
