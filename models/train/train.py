"""Trains one network on generated lines.

    train.py character|encoder SOURCES.json.gz OUT.safetensors --lines N --seed S
             [--base MODEL.safetensors] [--tokenizer TOKENIZER.json] [--exclude LINES.jsonl] [--device cuda|cpu]

In: the lists of sources.py, for the encoder its base model. Out: weights, as
half precision. Invariant: lines, their order and the first weights hang on the
seed alone; a GPU's sums differ in the last digits, so figures do in the third.
"""

import argparse
import multiprocessing
import time
from pathlib import Path

import encode
import generate
import networks
import numpy as np
import torch
from encode import IGNORED, Ragged

TOKENS_A_BATCH = {"character": 32768, "encoder": 16384}
RATE = {"character": 2e-3, "encoder": 2.5e-4}


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.workers)
    start = time.time()
    rows = dataset(options)
    print(f"{options.kind}: {len(rows[0].lengths)} lines, {rows[0].lengths.sum()} places, made in {time.time() - start:.0f} s", flush=True)
    network = networks.make(options.kind)
    if options.base:
        network.load_checkpoint(options.base)
    if options.resume:
        from safetensors.torch import load_file

        network.load_state_dict({k: v.float() for k, v in load_file(str(options.resume)).items()})
    network.to(options.device)
    fit(network, rows, options)
    save(network, options.out)


def save(network, path):
    from safetensors.torch import save_file

    save_file({k: v.half().contiguous().cpu() for k, v in network.state_dict().items()}, str(path))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["character", "encoder"])
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--batch", type=int, help="places a batch")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--resume", type=Path, help="weights to go on from, in place of --base")
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--exclude", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--report", type=int, default=200, help="steps between two reports, each saves the weights")
    parser.add_argument("--steps-max", type=int, help="stop early, to measure the time a step takes")
    return parser.parse_args()


def dataset(options):
    """Inputs, second inputs and labels of all lines, made by all workers."""
    options.side, options.count = "train", options.lines
    tasks = [(options, at, min(generate.CHUNK, options.lines - at)) for at in range(0, options.lines, generate.CHUNK)]
    with multiprocessing.get_context("fork").Pool(options.workers) as pool:
        parts = pool.map(rows_of_chunk, tasks, chunksize=1)
    return [Ragged.join([part[at] for part in parts]) for at in range(3)]


def rows_of_chunk(task):
    import json

    options = task[0]
    records = [json.loads(line) for line in generate.chunk(task)]
    first, second, labels = [], [], []
    if options.kind == "character":
        for record in records:
            characters, blocks = encode.character_ids(record["text"])
            first.append(characters)
            second.append(blocks)
            labels.append(encode.character_labels(record["text"], record["spans"]))
    else:
        tokenizer = encode.load_tokenizer(options.tokenizer)
        for record in records:
            ids, shapes, places = encode.token_rows(tokenizer.encode(record["text"]), record["text"])
            first.append(ids)
            second.append(shapes)
            labels.append(encode.token_labels(places, record["spans"]))
    return [Ragged(rows, np.int32 if at == 0 else np.int16) for at, rows in enumerate((first, second, labels))]


def batches(rows, places_max, random):
    """Lines of like length together; the order of the batches is drawn."""
    lengths = rows[0].lengths
    order = np.argsort(lengths + random.random(len(lengths)) * 4, kind="stable")
    groups, group, longest = [], [], 0
    for index in order:
        longest = max(longest, lengths[index])
        if group and longest * (len(group) + 1) > places_max:
            groups.append(group)
            group, longest = [], lengths[index]
        group.append(index)
    groups.append(group)
    random.shuffle(groups)
    return groups


def fit(network, rows, options):
    """AdamW, a short warm-up, then a straight way down to nothing."""
    random = np.random.default_rng(options.seed)
    places_max = options.batch or TOKENS_A_BATCH[options.kind]
    epochs = [batches(rows, places_max, random) for _ in range(options.epochs)]
    steps = sum(map(len, epochs))
    rate = options.rate or RATE[options.kind]
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    warm = max(1, min(500, steps // 10))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) / warm, max(0.0, (steps - s) / (steps - warm))))
    starts = np.concatenate([[0], np.cumsum(rows[0].lengths)])
    flats = [torch.from_numpy(r.flat).to(options.device) for r in rows]
    network.train()
    began, step, total = time.time(), 0, 0.0
    for groups in epochs:
        for group in groups:
            inputs = padded(flats, starts, rows[0].lengths, group, options.device)
            with torch.autocast(options.device, torch.bfloat16):
                logits = network(inputs[0], inputs[1])
            loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), inputs[2].flatten(), ignore_index=IGNORED)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            if step % options.report == 0 or step == options.steps_max:
                save(network, options.out)
                print(f"step {step} of {steps}, loss {loss.item():.4f}, {time.time() - began:.0f} s", flush=True)
            if step == options.steps_max:
                return


def padded(flats, starts, lengths, group, device):
    """One batch out of the flat arrays, padded to its longest line."""
    group = np.asarray(group)
    longest = int(lengths[group].max())
    place = torch.arange(longest, device=device)[None, :]
    at = torch.from_numpy(starts[group]).to(device)[:, None] + place
    valid = place < torch.from_numpy(lengths[group]).to(device)[:, None]
    at = torch.where(valid, at, 0)
    pads = (0, 0, IGNORED)
    return [torch.where(valid, flat[at].long(), pad) for flat, pad in zip(flats, pads)]


if __name__ == "__main__":
    main()
