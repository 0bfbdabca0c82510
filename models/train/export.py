"""Writes a trained network as ONNX.

    export.py character|encoder WEIGHTS.safetensors OUT.onnx [--int8]

Inputs `first`, `second`: int64 [lines, places], 0 is padding; for the character
model character and block, for the encoder token and shape. Output `logits`:
f32 [lines, places, classes]. With --int8 the matrices are whole numbers of 7
bits, so that processors with and without VNNI give the same sums.
"""

import argparse
import tempfile
from pathlib import Path

import networks
import onnx
import torch
from encode import CLASSES
from safetensors.torch import load_file


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["character", "encoder"])
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--int8", action="store_true")
    options = parser.parse_args()
    network = networks.make(options.kind)
    network.load_state_dict({k: v.float() for k, v in load_file(str(options.weights)).items()})
    network.eval()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx" if options.int8 else options.out
        write(network, whole)
        if options.int8:
            quantise(whole, options.out)
    stamp(options.out)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")


def write(network, path):
    example = (torch.ones(2, 16, dtype=torch.long), torch.ones(2, 16, dtype=torch.long))
    axes = {0: "lines", 1: "places"}
    torch.onnx.export(
        network, example, str(path), input_names=["first", "second"], output_names=["logits"], opset_version=17,
        dynamic_axes={"first": axes, "second": axes, "logits": axes}, dynamo=False,
    )


def quantise(source, target):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = source.with_name("prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(
        str(prepared), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True,
        op_types_to_quantize=["MatMul", "Gather"],
    )


def stamp(path):
    """The classes go with the model, and no trace of where it was made."""
    model = onnx.load(str(path))
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.helper.set_model_props(model, {"classes": ",".join(CLASSES)})
    onnx.save(model, str(path))


if __name__ == "__main__":
    main()
