#!/usr/bin/env bash
# torch 2.14.1: a checkpoint that holds torch.__version__ is saved without a word, and torch.load refuses to read it.
#
# Guess: torch.__version__ is a text, and texts are among what torch.load(weights_only=True), the default, admits.
# Behaviour: it is a torch.torch_version.TorchVersion, a subclass of str, which torch.save pickles as such. The same
# dictionary with str(torch.__version__) is read.
# Output seen: "TorchVersion True", then "UnpicklingError", then "read".
#
# Fails if torch.load reads it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.14.1 numpy
"$folder/venv/bin/python" - <<'PYTHON'
import io
import pickle

import torch

print(type(torch.__version__).__name__, isinstance(torch.__version__, str))
for version in (torch.__version__, str(torch.__version__)):
    file = io.BytesIO()
    torch.save({"torch": version, "weights": torch.zeros(2)}, file)
    file.seek(0)
    try:
        torch.load(file)
        print("read")
        assert type(version) is str, "TorchVersion is read now"
    except pickle.UnpicklingError as error:
        print(type(error).__name__)
        assert type(version) is not str
PYTHON
