"""Accuracy of digits.onnx, run by ONNX Runtime, on renderings that training did not see.

    pip install numpy pillow onnxruntime
    python evaluate.py
"""

from pathlib import Path

import numpy as np
import onnxruntime

from render import HELD_OUT_FONTS, TRAINING_FONTS, font_files, render

COUNT = 20_000
SEED = 1_000_003  # train.py renders with another seed


def main():
    session = onnxruntime.InferenceSession(Path(__file__).resolve().parent / "digits.onnx")
    for name, packages in (("training fonts, new transforms", TRAINING_FONTS), ("held-out fonts, new transforms", HELD_OUT_FONTS)):
        fonts = font_files(packages)
        images, labels, dark_on_light = render(fonts, COUNT, SEED)
        parts = np.array_split(images, 100)
        probabilities = np.concatenate([session.run(None, {"image": p.astype(np.float32) / 255})[0] for p in parts])
        right = probabilities.argmax(1) == labels
        print(f"{name}: {right.mean():.2%} of {COUNT} right ({len(fonts)} font files; "
              f"light on dark {right[~dark_on_light].mean():.2%}, dark on light {right[dark_on_light].mean():.2%})")
        worst = min(range(10), key=lambda d: right[labels == d].mean())
        print(f"  worst digit: {worst}, {right[labels == worst].mean():.2%} right")


if __name__ == "__main__":
    main()
