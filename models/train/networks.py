"""The two networks: characters from scratch, and a small BERT encoder."""

import math

import torch
from encode import BLOCKS, CHARACTERS, CLASSES, SHAPES
from torch import nn
from torch.nn import functional

DILATIONS = [1, 1, 2, 4, 8, 16, 1, 2, 4, 8]


class CharacterNet(nn.Module):
    """Dilated convolutions over characters; the line's maximum is heard everywhere."""

    def __init__(self, width=144):
        super().__init__()
        self.character = nn.Embedding(CHARACTERS, width, padding_idx=0)
        self.block = nn.Embedding(BLOCKS, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in DILATIONS)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in DILATIONS
        )
        self.whole = nn.ModuleList(nn.Linear(2 * width, width) for _ in DILATIONS[3::3])
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, len(CLASSES))

    def forward(self, characters, blocks):
        mask = (characters > 0).unsqueeze(-1).float()
        x = (self.character(characters) + self.block(blocks)) * mask
        for at, (norm, layer) in enumerate(zip(self.norms, self.layers)):
            if at % 3 == 0 and at:
                x = x + self.hear(self.whole[at // 3 - 1], x, mask)
            y = layer((norm(x) * mask).transpose(1, 2)).transpose(1, 2)
            x = x + functional.gelu(y) * mask
        return self.out(self.norm(x))

    def hear(self, layer, x, mask):
        mean = (x * mask).sum(1) / mask.sum(1)
        most = (x - 1e4 * (1 - mask)).max(1).values
        return layer(torch.cat([mean, most], -1)).unsqueeze(1) * mask


class Layer(nn.Module):
    """One layer of BERT (post-norm), weights named as the checkpoint names them."""

    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.dense, self.inner, self.outer = nn.Linear(width, width), nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-12), nn.LayerNorm(width, 1e-12)

    def forward(self, x, bias):
        n, length, width = x.shape
        q, k, v = (
            f(x).reshape(n, length, self.heads, width // self.heads).transpose(1, 2)
            for f in (self.query, self.key, self.value)
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + bias
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(n, length, width)
        x = self.norm1(x + self.dense(y))
        return self.norm2(x + self.outer(functional.gelu(self.inner(x))))


class Encoder(nn.Module):
    """MiniLM-L6-H384 with a row of classes a token and the token's shape as type."""

    def __init__(self, vocabulary=30522, width=384, layers=6, heads=12, positions=128):
        super().__init__()
        self.word = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(positions, width)
        self.shape = nn.Embedding(SHAPES, width)
        self.norm = nn.LayerNorm(width, 1e-12)
        self.layers = nn.ModuleList(Layer(width, heads, 4 * width) for _ in range(layers))
        self.out = nn.Linear(width, len(CLASSES))

    def forward(self, ids, shapes):
        bias = (ids == 0)[:, None, None, :].float() * -1e4
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.word(ids) + self.position(places) + self.shape(shapes))
        for layer in self.layers:
            x = layer(x, bias)
        return self.out(x)

    def load_checkpoint(self, path):
        """Weights of a BERT checkpoint in safetensors; only what is named here."""
        from safetensors.torch import load_file

        source = {name: tensor.float() for name, tensor in load_file(str(path)).items()}
        names = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
                 "dense": "attention.output.dense", "norm1": "attention.output.LayerNorm", "inner": "intermediate.dense",
                 "outer": "output.dense", "norm2": "output.LayerNorm"}
        target = {"word.weight": source["embeddings.word_embeddings.weight"],
                  "position.weight": source["embeddings.position_embeddings.weight"][: self.position.num_embeddings]}
        for part in ("weight", "bias"):
            target["norm." + part] = source["embeddings.LayerNorm." + part]
            for at in range(len(self.layers)):
                for own, theirs in names.items():
                    target[f"layers.{at}.{own}.{part}"] = source[f"encoder.layer.{at}.{theirs}.{part}"]
        types = source["embeddings.token_type_embeddings.weight"][:1]
        target["shape.weight"] = types + 0.02 * torch.randn(SHAPES, types.shape[1])
        missing = self.load_state_dict(target, strict=False).missing_keys
        if sorted(missing) != ["out.bias", "out.weight"]:
            raise ValueError(f"checkpoint lacks {missing}")


def make(kind):
    return CharacterNet() if kind == "character" else Encoder()
