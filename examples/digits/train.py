"""Trains the digit network on rendered fonts and writes digits.onnx.

    python3 -m venv /tmp/digits-venv && . /tmp/digits-venv/bin/activate
    pip install torch numpy pillow onnx onnxruntime
    apt-get install <the font packages named in README.md>
    OMP_NUM_THREADS=1 python train.py

One thread and a fixed seed, so the same versions and fonts give the same weights. A few minutes on one core.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from render import SIZE, TRAINING_FONTS, font_files, render

HERE = Path(__file__).resolve().parent
OPSET = 17
CONVOLUTIONS = ((1, 16), (16, 32), (32, 64))  # input and output channels; each halves height and width
HIDDEN = 64


class DigitNet(nn.Module):
    """Three times convolution 3x3, batch norm, ReLU, max pool 2x2; then two fully connected layers."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in CONVOLUTIONS)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o in CONVOLUTIONS)
        self.hidden = nn.Linear(CONVOLUTIONS[-1][1] * 3 * 3, HIDDEN)
        self.classes = nn.Linear(HIDDEN, 10)

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms):
            x = torch.max_pool2d(torch.relu(norm(convolution(x))), 2)
        x = nn.functional.dropout(x.flatten(1), 0.2, self.training)
        return self.classes(torch.relu(self.hidden(x)))


def train(net, images, labels, epochs, batch, seed):
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    net.train()
    for epoch in range(epochs):
        started, losses = time.time(), []
        for index in torch.randperm(len(images), generator=generator)[: steps // epochs * batch].split(batch):
            x = images[index].float() / 255
            # Both polarities of each image are seen in the course of training.
            flip = (torch.rand(len(x), generator=generator) < 0.5)[:, None, None, None]
            x = torch.where(flip, 1 - x, x)
            loss = nn.functional.cross_entropy(net(x), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}/{epochs}: mean loss {np.mean(losses):.4f}, {time.time() - started:.0f} s", flush=True)
    net.eval()


def to_onnx(net):
    """The network as ONNX, batch norm kept as its own node, softmax included."""
    nodes, weights = [], []

    def weight(name, tensor):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(tensor.detach().numpy()), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    x = "image"
    for i, (convolution, norm) in enumerate(zip(net.convolutions, net.norms), start=1):
        x = node("Conv", [x, weight(f"conv{i}.weight", convolution.weight)], f"conv{i}", pads=[1, 1, 1, 1])
        statistics = [
            weight(f"norm{i}.scale", norm.weight),
            weight(f"norm{i}.bias", norm.bias),
            weight(f"norm{i}.mean", norm.running_mean),
            weight(f"norm{i}.variance", norm.running_var),
        ]
        x = node("BatchNormalization", [x, *statistics], f"norm{i}", epsilon=norm.eps)
        x = node("Relu", [x], f"relu{i}")
        x = node("MaxPool", [x], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
    x = node("Flatten", [x], "features")
    for name, linear in (("hidden", net.hidden), ("classes", net.classes)):
        x = node("Gemm", [x, weight(f"{name}.weight", linear.weight), weight(f"{name}.bias", linear.bias)], name, transB=1)
        if name == "hidden":
            x = node("Relu", [x], "hidden_relu")
    node("Softmax", [x], "probabilities", axis=-1)

    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10])],
        weights,
        doc_string="Reads one digit, light on dark or dark on light, trained on rendered fonts.",
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="train.py")
    # What a program needs to turn an image file into the input: value = (pixel / 255 - mean) / std.
    image = {"channels": 1, "mean": [0.0], "std": [1.0], "resize": "area"}
    helper.set_model_props(model, {"labels": json.dumps([str(d) for d in range(10)]), "tenon.image": json.dumps(image)})
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=80_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, default=HERE / "digits.onnx")
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    fonts = font_files(TRAINING_FONTS)
    print(f"rendering {args.images} digits from {len(fonts)} font files", flush=True)
    images, labels, _ = render(fonts, args.images, args.seed)

    net = DigitNet()
    train(net, torch.from_numpy(images), torch.from_numpy(labels), args.epochs, batch=128, seed=args.seed)
    onnx.save(to_onnx(net), args.output)
    print(f"{args.output}: {args.output.stat().st_size} bytes, {sum(p.numel() for p in net.parameters())} parameters")


if __name__ == "__main__":
    main()
