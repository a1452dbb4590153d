"""Explanation of a finished run: the places of an image that its network uses to answer each task.

A network is built from the spec and the weights of a run (`trained`) and evaluated on every test image (`answers`),
with attention maps (`maps`, `gradient`, `grid`). Images are chosen by score (`examples`) and drawn (`figures`) on a
page (`page`); `explain` does all of it. Networks of embeddings and of maps have rooms of their own (`retrieval`,
`dense`).
"""
