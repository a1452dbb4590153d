#!/usr/bin/env bash
# numpy 2.4.6: loadtxt counts rows from 0 in one error and from 1 in another, and in the first one columns from 1.
#
# Guess: both errors count rows in one way, that of editors, and a row and a column of one sentence from the same number.
# Behaviour: of a text whose third line has a word in its second column, the error names "row 2, column 2"; of a text
# whose third line has a column too many, "row 3". A program that passes the number on as that of a line is wrong by one
# in half of the cases. Lines that skiprows leaves out are not counted by either.
#     a word                          could not convert string 'x' to float64 at row 2, column 2.
#     a column too many               the number of columns changed from 2 to 3 at row 3; ...
#     a word, first line skipped      could not convert string 'x' to float64 at row 1, column 2.
#
# Fails if the numbers agree, or these sentences change.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import io

import numpy as np


def error(text: str, skip: int = 0) -> str:
    try:
        np.loadtxt(io.StringIO(text), skiprows=skip)
    except ValueError as raised:
        return str(raised)
    raise AssertionError("read without an error")


word, wide = "1 2\n3 4\n5 x\n", "1 2\n3 4\n5 6 7\n"
print("a word                     ", error(word))
print("a column too many          ", error(wide))
print("a word, first line skipped ", error(word, skip=1))
assert "at row 2, column 2." in error(word)
assert "at row 3;" in error(wide)
assert "at row 1, column 2." in error(word, skip=1)
PYTHON
