"""Dense tasks: preprocessed NYUv2 and Cityscapes, folders of ``.npy`` files, and a world in their format."""
