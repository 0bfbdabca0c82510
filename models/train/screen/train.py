"""Trains the screen.

    train.py OUT.pt TYPEFACES REAL [--steps N] [--seed N] [--resume IN.pt] [--workers N]

TYPEFACES: a folder for Debian's typefaces; REAL: a folder of slices as .npy, or `-`.
Loss: every clear line must have some cells far above zero, no cell apart from text
may be above it; the hardest cells of each picture count most, because one is enough
to send a frame to the detector.
"""
import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from network import Screen
from scenes import SIDE, Scenes
from torch.nn import functional

CELL = 8
# Cells nearer to a line than this are not asked.
NEAR_PX = 12


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, typefaces, real, seed, batch):
        self.arguments, self.batch = (typefaces, real, seed), batch

    def __iter__(self):
        typefaces, real, seed = self.arguments
        info = torch.utils.data.get_worker_info()
        scenes = Scenes(typefaces, real, [seed, info.id if info else 0])
        while True:
            yield collate([next(scenes) for _ in range(self.batch)])


def collate(pictures):
    """Frames, cells that must stay below zero, and for each clear line its cells."""
    side = SIDE // CELL
    frames = np.stack([plane for plane, _ in pictures])[:, None]
    empty = np.ones((len(pictures), side, side), bool)
    lines = []
    for number, (_, boxes) in enumerate(pictures):
        for x0, y0, x1, y1, clear in boxes:
            near = [max(0, int((v - NEAR_PX) // CELL)) for v in (x0, y0)] + [int((v + NEAR_PX) // CELL) + 1 for v in (x1, y1)]
            empty[number, near[1] : near[3], near[0] : near[2]] = False
            if clear > 0:
                on = [int(x0 // CELL), int(y0 // CELL), math.ceil(x1 / CELL), math.ceil(y1 / CELL)]
                lines.append([number, *on, clear])
    return torch.from_numpy(frames), torch.from_numpy(empty), torch.tensor(lines).reshape(-1, 6)


def laid(frames):
    return frames.float().to(memory_format=torch.channels_last)


def loss_of(cells, empty, lines):
    cells = cells[:, 0]
    below = functional.softplus(cells + 2) * empty
    cost = below.sum() / empty.sum()
    # The hardest cells of each picture.
    hardest = torch.where(empty, cells, torch.full_like(cells, -30)).flatten(1).topk(4, 1).values
    cost = cost + 0.3 * functional.softplus(hardest + 2).mean()
    if len(lines):
        best, mean = [], []
        for number, x0, y0, x1, y1 in lines[:, :5].long().tolist():
            line = cells[number, y0:y1, x0:x1].flatten()
            best.append(line.topk(min(3, line.numel())).values.mean())
            mean.append(functional.softplus(2 - line).mean())
        clear = lines[:, 5]
        cost = cost + (clear * (functional.softplus(4 - torch.stack(best)) + 0.2 * torch.stack(mean))).mean()
    return cost


def figures(network, batches):
    """Greatest cell of each picture without text and of each clear line."""
    network.eval()
    nothing, lines_best = [], []
    with torch.no_grad():
        for frames, empty, lines in batches:
            cells = network(laid(frames))[:, 0]
            whole = empty.flatten(1).all(1)
            nothing += cells[whole].flatten(1).max(1).values.tolist()
            lines_best += [cells[n, y0:y1, x0:x1].max().item() for n, x0, y0, x1, y1 in lines[lines[:, 5] >= 0.8, :5].long().tolist()]
    network.train()
    nothing, lines_best = np.array(nothing), np.array(lines_best)
    at = {f"miss {p}": np.mean(nothing > np.percentile(lines_best, p)) for p in (0, 0.1, 1)}
    return " ".join(f"{k}: pass {v:.3f}" for k, v in at.items()) + f"  lines below 0: {np.mean(lines_best < 0):.4f}, empty above 0: {np.mean(nothing > 0):.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("typefaces")
    parser.add_argument("real")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    real = None if options.real == "-" else options.real
    network = Screen()
    if options.resume:
        network.load_state_dict(torch.load(options.resume))
    stream = Stream(options.typefaces, real, options.seed, options.batch)
    batches = iter(torch.utils.data.DataLoader(stream, batch_size=None, num_workers=options.workers, prefetch_factor=4))
    held = [next(batches) for _ in range(20)]
    network = network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-3)
    start, mean = time.monotonic(), None
    for step in range(options.steps):
        part = max(step / options.steps, (time.monotonic() - start) / 60 / options.minutes)
        if part >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * part))
        frames, empty, lines = next(batches)
        cost = loss_of(network(laid(frames)), empty, lines)
        optimiser.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
        optimiser.step()
        mean = cost.item() if mean is None else 0.98 * mean + 0.02 * cost.item()
        if step % 250 == 0:
            print(f"{step} {time.monotonic() - start:.0f} s loss {mean:.3f} {figures(network, held)}", flush=True)
            torch.save(network.state_dict(), options.out)
    print(f"end loss {mean:.3f} {figures(network, held)}")
    torch.save(network.state_dict(), options.out)


if __name__ == "__main__":
    main()
