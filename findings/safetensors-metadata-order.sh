#!/usr/bin/env bash
# safetensors 0.8.0: a file with two or more entries of metadata has other bytes each time that it is written.
#
# Guess: the header is canonical; tensors are sorted, and so are the entries of metadata.
# Behaviour: the order of metadata entries in the header is drawn anew at every call, also within one process. Of eight
# files of the same arrays and the same six entries all have unlike sums; with one entry, all eight are equal:
#     1 entry    1 sum of 8 files
#     6 entries  8 sums of 8 files
# A sum over such a file, or a store that knows files by their content, takes equal content for another one.
#
# Fails if the files with six entries are equal, or those with one are not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet safetensors==0.8.0 numpy==2.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import hashlib
import json

import numpy as np
from safetensors.numpy import load, save

arrays = {"weight": np.arange(6, dtype=np.float32), "bias": np.zeros(2, dtype=np.float32)}
counts = {}
for entries in (1, 6):
    metadata = {f"key{number}": "value" for number in range(entries)}
    files = [save(arrays, metadata) for _ in range(8)]
    for file in files:
        length = int.from_bytes(file[:8], "little")
        assert json.loads(file[8 : 8 + length])["__metadata__"] == metadata
        assert all((load(file)[name] == array).all() for name, array in arrays.items())
    counts[entries] = len({hashlib.sha256(file).hexdigest() for file in files})
    print(f"{entries} entries: {counts[entries]} sums of 8 files")
assert counts[1] == 1, "one entry of metadata gives unequal files"
assert counts[6] > 1, "entries of metadata have a fixed order now"
PYTHON
