"""Commands on plug-ins: list, info, doctor, check and new."""
