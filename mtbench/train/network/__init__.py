"""Networks while they are trained: buffers, precision, and convolutions that are safe."""
