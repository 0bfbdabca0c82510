"""Figures of exported models on lines with known spans.

    evaluate.py LINES.jsonl[.gz] [--character FILE] [--encoder FILE --tokenizer FILE] [--weight W]
                [--thresholds 0.2,0.5] [--by language|kind] [--failures THRESHOLD] [--time]

Line texts are printed with --failures alone. A gold span counts as touched when
a found span overlaps it, as covered when all its letters and digits are hidden;
a found span counts as right when it overlaps a gold one of any class.
"""

import argparse
import collections
import gzip
import json
import time
from pathlib import Path

import numpy as np
import predict
from parts import LABELS


def main():
    options = arguments()
    opener = gzip.open if options.lines.suffix == ".gz" else open
    records = [json.loads(line) for line in opener(options.lines, "rt", encoding="utf-8")]
    texts = [record["text"] for record in records]
    models, weights = [], []
    if options.character:
        models.append(predict.Model("character", options.character))
        weights.append(1 - options.weight if options.encoder else 1)
    if options.encoder:
        models.append(predict.Model("encoder", options.encoder, options.tokenizer))
        weights.append(options.weight if options.character else 1)
    probabilities = predict.together(models, texts, weights)
    for threshold in map(float, options.thresholds.split(",")):
        found = [predict.spans(t, p, threshold) for t, p in zip(texts, probabilities)]
        report(records, found, threshold, options)
        if options.failures == threshold:
            print_failures(records, found)
    if options.time:
        for model in models:
            print_time(model, texts)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lines", type=Path)
    parser.add_argument("--character", type=Path)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--weight", type=float, default=0.5, help="of the encoder, when both are given")
    parser.add_argument("--thresholds", default="0.2,0.5")
    parser.add_argument("--by", action="append", default=[])
    parser.add_argument("--failures", type=float)
    parser.add_argument("--time", action="store_true")
    return parser.parse_args()


def report(records, found, threshold, options):
    rows = list(zip(records, found))
    clinical = [(r, f) for r, f in rows if not r["spans"]]
    identity = [(r, f) for r, f in rows if r["spans"]]
    gold = [s for r, _ in identity for s in r["spans"]]
    covered = sum(is_covered(r["text"], s, f) for r, f in identity for s in r["spans"])
    whole = sum(all(is_covered(r["text"], s, f) for s in r["spans"]) for r, f in identity)
    flagged, alarms = sum(bool(f) for _, f in identity), sum(bool(f) for _, f in clinical)
    over = sum(not any(overlaps(p, s) for s in r["spans"]) for r, f in identity for p in f)
    print(f"\nthreshold {threshold}: {len(clinical)} clinical lines, {alarms} false alarms ({share(alarms, len(clinical))}); "
          f"{len(identity)} identity lines, {share(flagged, len(identity))} found, {share(whole, len(identity))} wholly hidden; "
          f"spans covered {share(covered, len(gold))}; {over} other words hidden there")
    print(f"  line level: precision {share(flagged, flagged + alarms)}, recall {share(flagged, len(identity))}, F1 {share(2 * flagged, flagged + alarms + len(identity))}")
    print("  class     gold  touched covered | found precision  F1")
    for label in [*LABELS, "all"]:
        print_class(rows, label)
    print_alarms(clinical)
    for key in options.by:
        print_groups(rows, key)


def print_class(rows, label):
    gold = [(r, f, s) for r, f in rows for s in r["spans"] if label in (s[2], "all")]
    touched = sum(any(overlaps(p, s) for p in f) for _, f, s in gold)
    covered = sum(is_covered(r["text"], s, f) for r, f, s in gold)
    said = [(r, p) for r, f in rows for p in f if label in (p[2], "all")]
    right = sum(any(overlaps(p, s) for s in r["spans"]) for r, p in said)
    recall, precision = touched / max(1, len(gold)), right / max(1, len(said))
    f1 = 2 * recall * precision / max(1e-9, recall + precision)
    print(f"  {label:9} {len(gold):5} {recall:8.3f} {covered / max(1, len(gold)):7.3f} | {len(said):5} {precision:9.3f} {f1:5.3f}")


def print_alarms(clinical):
    """False alarms on clinical lines, by kind of line and class said."""
    counts = collections.Counter((r["kind"], p[2]) for r, found in clinical for p in found)
    print("  false alarms: " + ", ".join(f"{kind} {label} {n}" for (kind, label), n in counts.most_common(12)))


def print_groups(rows, key):
    groups = collections.defaultdict(lambda: [0, 0, 0, 0])
    for record, found in rows:
        group = groups[record[key]]
        if record["spans"]:
            group[0] += len(record["spans"])
            group[1] += sum(is_covered(record["text"], s, found) for s in record["spans"])
        else:
            group[2] += 1
            group[3] += bool(found)
    for name, (gold, covered, clinical, alarms) in sorted(groups.items()):
        print(f"  {key} {name:12} covered {covered}/{gold} = {share(covered, gold)}, false alarms {alarms}/{clinical} = {share(alarms, clinical)}")


def print_failures(records, found):
    for record, spans in zip(records, found):
        missed = [s for s in record["spans"] if not is_covered(record["text"], s, spans)]
        extra = [p for p in spans if not any(overlaps(p, s) for s in record["spans"])]
        if missed or extra:
            text = record["text"]
            print(json.dumps({"text": text, "missed": [text[a:b] + "/" + l for a, b, l in missed],
                              "extra": [text[a:b] + "/" + l for a, b, l in extra]}, ensure_ascii=False))


def print_time(model, texts):
    """Median of single lines, and mean of batches of 32 of like length; microseconds."""
    sample = texts[:: max(1, len(texts) // 400)]
    model.run(sample[:20], 1)
    single = []
    for text in sample:
        start = time.perf_counter()
        model.run([text], 1)
        single.append(time.perf_counter() - start)
    start = time.perf_counter()
    model.run(sample, 32)
    batch = (time.perf_counter() - start) / len(sample)
    print(f"{model.kind}: one line {np.median(single) * 1e6:.0f} us (p95 {np.quantile(single, 0.95) * 1e6:.0f}), in batches of 32 {batch * 1e6:.0f} us a line")


def overlaps(one, other):
    return one[0] < other[1] and one[1] > other[0]


def is_covered(text, span, found):
    """Every letter and digit of the span lies in a found span."""
    return all(any(f[0] <= at < f[1] for f in found) for at in range(span[0], span[1]) if text[at].isalnum())


def share(part, whole):
    return f"{part / whole:.4f}" if whole else "-"


if __name__ == "__main__":
    main()
