"""Looking into a finished run: which places of an image its network looks at to answer each task.

A network is built anew from the spec and the weights of a run (`trained`) and asked for every test image (`answers`),
with maps of where it looks (`maps`, `gradient`, `grid`). Images are chosen by score (`examples`) and drawn (`figures`,
`sheet`) on a page (`page`); `explain` does all of it.
"""
