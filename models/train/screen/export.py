"""Writes a trained screen as ONNX.

    export.py WEIGHTS.pt OUT.onnx

Input `frame`: f32 [1, 1, height, width], 0 to 255, sides multiples of 32. Output
`cells`: f32 [1, 1, height / 8, width / 8], logits.
"""
import sys

import torch
from network import Screen, export

network = Screen()
network.load_state_dict(torch.load(sys.argv[1]))
export(network, sys.argv[2])
