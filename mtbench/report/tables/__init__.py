"""Tables of what is compared, with their captions."""
