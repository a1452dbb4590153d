"""Classes of the pixels of a room."""

__all__ = ["CLASSES", "UNDEFINED", "label"]

CLASSES: tuple[str, ...] = (
    *("wall", "floor", "ceiling"),
    *("bed", "sofa", "chair", "table", "cabinet", "lamp"),
    *("picture", "window", "door", "object"),
)
"""Names of the classes by label. Shelves are cabinets, curtains belong to windows, carpets to the floor."""
UNDEFINED = -1
"""The label of a pixel that has no class."""


def label(name: str) -> int:
    """Return the label of a class."""
    return CLASSES.index(name)
