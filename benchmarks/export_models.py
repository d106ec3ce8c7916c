"""Writes the ONNX models of the benchmarks, with random weights: speed does not depend on them.

    pip install torch torchvision onnx
    python benchmarks/export_models.py [FOLDER] [MODEL ...]

FOLDER is benchmarks/models unless given; without names all models are written. They take 1.8 GB.
"""

import inspect
import sys
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

HEAD = 64  # width of an attention head


def digits():
    """A classifier of 28 x 28 images with one hidden layer."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10), nn.Softmax(dim=1))


def heads(x):
    """[batch, tokens, width] to [batch, heads, tokens, HEAD]."""
    return x.view(x.shape[0], x.shape[1], -1, HEAD).transpose(1, 2)


def attend(q, k, v, mask):
    scores = q @ k.transpose(2, 3) * HEAD**-0.5
    return (F.softmax(scores + mask, dim=3) @ v).transpose(1, 2).flatten(2)


class EncoderLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.query, self.key, self.value, self.project = (nn.Linear(width, width) for _ in range(4))
        self.grow, self.shrink = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)

    def forward(self, x, mask):
        a = attend(heads(self.query(x)), heads(self.key(x)), heads(self.value(x)), mask)
        x = self.norm1(x + self.project(a))
        return self.norm2(x + self.shrink(F.gelu(self.grow(x))))


class Encoder(nn.Module):
    """BERT's encoder with its embeddings and pooler."""

    def __init__(self, layers, width, words=30522, positions=512):
        super().__init__()
        self.word, self.position, self.segment = (nn.Embedding(n, width) for n in (words, positions, 2))
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(EncoderLayer(width) for _ in range(layers))
        self.pool = nn.Linear(width, width)

    def forward(self, ids, mask, segments):
        positions = torch.arange(ids.shape[1])
        x = self.norm(self.word(ids) + self.position(positions) + self.segment(segments))
        bias = (1 - mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        return x, torch.tanh(self.pool(x[:, 0]))


class DecoderLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.grow, self.shrink = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, past_key, past_value):
        q, k, v = (heads(t) for t in self.qkv(self.norm1(x)).chunk(3, dim=2))
        k, v = torch.cat([past_key, k], dim=2), torch.cat([past_value, v], dim=2)
        here = torch.arange(past_key.shape[2], k.shape[2])[:, None]
        later = torch.arange(k.shape[2])[None, :] > here
        x = x + self.project(attend(q, k, v, later.to(x.dtype) * -1e9))
        return x + self.shrink(F.gelu(self.grow(self.norm2(x)), approximate="tanh")), k, v


class Decoder(nn.Module):
    """GPT-2 with its cache of keys and values as inputs and outputs."""

    def __init__(self, layers, width, words=50257, positions=1024):
        super().__init__()
        self.word, self.position = nn.Embedding(words, width), nn.Embedding(positions, width)
        self.layers = nn.ModuleList(DecoderLayer(width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def forward(self, ids, *past):
        begin = past[0].shape[2]
        x = self.word(ids) + self.position(torch.arange(begin, begin + ids.shape[1]))
        present = []
        for layer, key, value in zip(self.layers, past[::2], past[1::2]):
            x, key, value = layer(x, key, value)
            present += [key, value]
        return (self.head(self.norm(x)), *present)


class Recurrent(nn.Module):
    """A recogniser of speech or text lines: recurrent layers over frames of 80 numbers, classes of each frame."""

    def __init__(self, kind, bidirectional):
        super().__init__()
        self.layers = kind(80, 256, num_layers=2, bidirectional=bidirectional, batch_first=True)
        self.head = nn.Linear(512 if bidirectional else 256, 32)

    def forward(self, frames):
        return self.head(self.layers(frames)[0])


IMAGE = dict(inputs=["input"], outputs=["output"], free={"input": {0: "N"}, "output": {0: "N"}})
PIXELS = (torch.randn(1, 3, 224, 224),)


def encoder(layers, width):
    names = ["input_ids", "attention_mask", "token_type_ids"]
    tokens = torch.randint(0, 1000, (1, 16))
    return dict(
        model=Encoder(layers, width),
        arguments=(tokens, torch.ones_like(tokens), torch.zeros_like(tokens)),
        inputs=names,
        outputs=["last_hidden_state", "pooler_output"],
        free={n: {0: "N", 1: "T"} for n in [*names, "last_hidden_state"]},
    )


def recurrent(kind, bidirectional):
    return dict(
        model=Recurrent(kind, bidirectional),
        arguments=(torch.randn(1, 20, 80),),
        inputs=["input"],
        outputs=["output"],
        free={n: {0: "N", 1: "T"} for n in ["input", "output"]},
    )


def decoder(layers, width):
    past = [f"past_{i}_{kind}" for i in range(layers) for kind in "kv"]
    present = [n.replace("past", "present") for n in past]
    cache = [torch.randn(1, width // HEAD, 8, HEAD) for _ in past]
    return dict(
        model=Decoder(layers, width),
        arguments=(torch.randint(0, 1000, (1, 4)), *cache),
        inputs=["input_ids", *past],
        outputs=["logits", *present],
        free={
            **{n: {0: "N", 1: "T"} for n in ["input_ids", "logits"]},
            **{n: {0: "N", 2: "P"} for n in past},
            **{n: {0: "N", 2: "S"} for n in present},
        },
    )


MODELS = {
    "mlp": lambda: dict(model=digits(), arguments=(torch.randn(1, 1, 28, 28),), **IMAGE),
    "resnet50": lambda: dict(model=torchvision.models.resnet50(), arguments=PIXELS, **IMAGE),
    "mobilenet_v2": lambda: dict(model=torchvision.models.mobilenet_v2(), arguments=PIXELS, **IMAGE),
    "vgg16": lambda: dict(model=torchvision.models.vgg16(), arguments=PIXELS, **IMAGE),
    "bert": lambda: encoder(12, 768),
    "bert_mini": lambda: encoder(4, 256),
    "gpt2": lambda: decoder(12, 768),
    "lstm": lambda: recurrent(nn.LSTM, True),
    "gru": lambda: recurrent(nn.GRU, False),
}


def main():
    arguments = sys.argv[1:]
    folder = Path(arguments.pop(0)) if arguments and arguments[0] not in MODELS else Path(__file__).parent / "models"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    # Newer versions have a second exporter; this one keeps dimensions symbolic without further hints.
    exporter = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    for name in arguments or MODELS:
        m = MODELS[name]()
        file = folder / f"{name}.onnx"
        torch.onnx.export(
            m["model"].eval(),
            m["arguments"],
            str(file),
            input_names=m["inputs"],
            output_names=m["outputs"],
            dynamic_axes=m["free"],
            opset_version=17,
            **exporter,
        )
        print(file, file.stat().st_size)


if __name__ == "__main__":
    main()
