"""The attributes of CelebA, and the sets of them that papers learn."""

from typing import Final

from ..worlds.faces.names import DRAWN, NAMES

__all__ = ["DRAWN", "EIGHT", "NAMES", "SEVEN", "TWENTY", "task_name"]

TWENTY: Final = (
    *("Smiling", "5_o_Clock_Shadow", "Bald", "Arched_Eyebrows", "Chubby", "Double_Chin", "High_Cheekbones", "Goatee"),
    *("Mustache", "No_Beard", "Sideburns", "Bangs", "Straight_Hair", "Wavy_Hair", "Receding_Hairline"),
    *("Bags_Under_Eyes", "Bushy_Eyebrows", "Young", "Oval_Face", "Mouth_Slightly_Open"),
)
"""The 20 attributes of Zhao et al. (2018), Table 3, in its order."""
SEVEN: Final = (*("Smiling", "Oval_Face", "5_o_Clock_Shadow", "Bald", "Arched_Eyebrows", "Big_Lips", "Big_Nose"),)
"""The 7 attributes of Zhao et al. (2018), Table 5."""
EIGHT: Final = (
    *("Smiling", "Mouth_Slightly_Open", "Young", "No_Beard", "Sideburns", "Wavy_Hair", "Eyeglasses", "Wearing_Hat"),
)
"""The attributes of the drawn faces that are learned by default: pairs that go together, others that do not."""


def task_name(attribute: str) -> str:
    """Return an attribute's name as a task's, e.g. ``mouth-slightly-open``."""
    return attribute.lower().replace("_", "-")
