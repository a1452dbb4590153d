#!/usr/bin/env bash
# torch 2.14.1 on a CPU: the number of threads decides which kernel a 1 x 1 convolution takes, and with one thread the
# number of images decides too, so that the same image gets other bits in a batch of 16 than in one of 15.
#
# Guess: the kernel depends on dtype, memory format and the convolution's sizes; threads and images only divide the work.
# Behaviour: with one thread a 1 x 1 convolution of 512 channels in channels-last format takes the im2col kernel
# `_slow_conv2d_forward` up to 15 images, and oneDNN from 16 on. With two threads it takes oneDNN at once, and a 3 x 3
# convolution does so in either case. Kernel by threads, kernel size and images:
#   1 threads, 1 x 1: 15 _slow_conv2d_forward   16 mkldnn_convolution     other bits of the first image: True
#   1 threads, 3 x 3: 15 mkldnn_convolution     16 mkldnn_convolution
#   2 threads, 1 x 1: 15 mkldnn_convolution     16 mkldnn_convolution
#
# Fails if one thread takes oneDNN for 15 images, or im2col for 16, or if the bits are equal.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.14.1 numpy==2.4.6
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

KERNELS = ("aten::_slow_conv2d_forward", "aten::mkldnn_convolution")
torch.manual_seed(0)
images = torch.randn(16, 512, 16, 16).contiguous(memory_format=torch.channels_last)


def kernel_and_first(threads, size, count):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    layer = nn.Conv2d(512, 64, size, padding=size // 2).to(memory_format=torch.channels_last)
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU]) as profiled:
        first = layer(images[:count])[0]
    (kernel,) = {event.key for event in profiled.key_averages()} & set(KERNELS)
    return kernel.removeprefix("aten::"), first


found = {}
for threads, size in ((1, 1), (1, 3), (2, 1)):
    (few, first), (many, again) = (kernel_and_first(threads, size, count) for count in (15, 16))
    found[threads, size] = few, many, not torch.equal(first, again)
    print(f"{threads} threads, {size} x {size}: 15 {few:22} 16 {many:22} other bits: {found[threads, size][2]}")
assert found[1, 1] == ("_slow_conv2d_forward", "mkldnn_convolution", True), found
assert found[1, 3][:2] == ("mkldnn_convolution", "mkldnn_convolution"), found
assert found[2, 1][:2] == ("mkldnn_convolution", "mkldnn_convolution"), found
PYTHON
