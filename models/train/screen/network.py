"""The screen's network: a frame in, how much each cell of it looks like text out."""
import torch
from torch import nn
from torch.nn import functional


# Shades that a ground without grain is taken to vary by.
CALM = 2.0


def layer(into, out, size=3, step=1, groups=1):
    convolution = nn.Conv2d(into, out, size, step, size // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())


class Rest(nn.Module):
    def __init__(self, width, size=5):
        super().__init__()
        self.body = nn.Sequential(layer(width, width, size, groups=width), layer(width, width, 1))

    def forward(self, x):
        return x + self.body(x)


class Screen(nn.Module):
    """x: [n, 1, height, width], 0 to 255, sides multiples of 32. Gives [n, 1, height / 8,
    width / 8]: the greatest logit of the cells of 8, 16 and 32 pixels that lie there."""

    def __init__(self, first=8, fine=16, middle=32, broad=48):
        super().__init__()
        self.quarter = nn.Sequential(layer(2, first, 3, 2), layer(first, fine, 3, 2), Rest(fine, 3))
        self.eighth = nn.Sequential(layer(fine, middle, 3, 2), Rest(middle), Rest(middle))
        self.sixteenth = nn.Sequential(layer(middle, middle, 3, 2, middle), layer(middle, broad, 1), Rest(broad), Rest(broad))
        self.thirtieth = nn.Sequential(layer(broad, broad, 3, 2, broad), layer(broad, broad, 1), Rest(broad), Rest(broad))
        self.down = nn.ModuleList([nn.Conv2d(broad, broad, 1), nn.Conv2d(broad, middle, 1)])
        self.heads = nn.ModuleList([nn.Conv2d(middle, 1, 1), nn.Conv2d(broad, 1, 1), nn.Conv2d(broad, 1, 1)])

    def forward(self, x):
        eighth = self.eighth(self.quarter(shown(x)))
        sixteenth = self.sixteenth(eighth)
        thirtieth = self.thirtieth(sixteenth)
        sixteenth = sixteenth + wider(self.down[0](thirtieth), 2)
        eighth = eighth + wider(self.down[1](sixteenth), 2)
        fine, middle, broad = (head(y) for head, y in zip(self.heads, [eighth, sixteenth, thirtieth]))
        return torch.maximum(torch.maximum(fine, wider(middle, 2)), wider(broad, 4))


def shown(x):
    """The frame, and how far each pixel stands out from some 20 pixels around it, so
    that faint lines on a calm ground look as strong as others."""
    half = functional.avg_pool2d(x, 2)
    mean, square = functional.avg_pool2d(half, 2), functional.avg_pool2d(half * half, 2)
    mean, square = (functional.avg_pool2d(y, 5, 1, 2, count_include_pad=False) for y in (mean, square))
    spread = 1 / (torch.sqrt(functional.relu(square - mean * mean)) + CALM)
    return torch.cat([x / 255.0 - 0.2, (x - wider(mean, 4)) * wider(spread, 4) * 0.5], 1)


def wider(x, factor):
    return functional.interpolate(x, scale_factor=factor, mode="nearest")


def export(network, path):
    axes = {"frame": {2: "height", 3: "width"}, "cells": {2: "down", 3: "across"}}
    torch.onnx.export(
        network.eval(), (torch.zeros(1, 1, 512, 512),), str(path), input_names=["frame"], output_names=["cells"], opset_version=17,
        dynamic_axes=axes, dynamo=False,
    )  # fmt: skip
