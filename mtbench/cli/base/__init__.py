"""Parts that commands share: options, completion, and the form in which they print."""
