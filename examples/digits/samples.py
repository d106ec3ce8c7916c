"""Draws the sample images zero.png to nine.png and writes ONNX Runtime's answers for them to expected/.

    pip install numpy pillow onnxruntime
    python samples.py            # check the samples in this folder against digits.onnx and expected/
    python samples.py --write    # draw them and write expected/ anew (needs the held-out fonts)

expected/area.npy and expected/bilinear.npy are float32 [10, 10]: row d holds the probabilities for the sample
of digit d, reduced to 28 x 28 by that method without rounding, as resize() below does it.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageFilter

from render import FONT_ROOT, SIZE, glyph_mask, pose

HERE = Path(__file__).resolve().parent
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LIBERTINE = "opentype/linux-libertine/Lin{}.otf"
CANTARELL = "opentype/cantarell/Cantarell-{}.otf"
CALADEA = "truetype/crosextra/Caladea-{}.ttf"
# Per digit: font, width and height in pixels (multiples of 28), rotation, shear, background and ink grey, noise.
STYLES = (
    (LIBERTINE.format("Libertine_RB"), 112, 8, 0, 20, 235, 6),
    (CANTARELL.format("Regular"), 112, -6, 0, 245, 30, 4),
    (CALADEA.format("Italic"), 112, 5, 4, 0, 255, 0),
    (CANTARELL.format("Bold"), 112, -9, 0, 225, 40, 8),
    (LIBERTINE.format("Biolinum_RB"), 56, 0, -6, 255, 0, 0),
    (CALADEA.format("Bold"), 224, 10, 0, 60, 200, 5),
    (CANTARELL.format("ExtraBold"), 112, -4, 5, 240, 70, 6),
    (CALADEA.format("Regular"), 112, 6, 0, 250, 25, 4),
    (LIBERTINE.format("Libertine_RBI"), 112, -7, 0, 10, 245, 3),
    ("truetype/inconsolata/Inconsolata.otf", 112, 4, 0, 230, 20, 5),
)


def draw(digit, style, rng):
    font, canvas, rotation, shear, background, ink_grey, noise = style
    mask = glyph_mask(FONT_ROOT / font, digit).filter(ImageFilter.GaussianBlur(1))
    shift = rng.uniform(-0.04, 0.04, size=2)
    ink = pose(mask, canvas, height=0.68, rotation=rotation, shear=shear, stretch=1.0, shift=shift)
    grey = background + (ink_grey - background) * np.asarray(ink, dtype=np.float64) / 255
    grey = grey + rng.normal(0, noise, size=grey.shape)
    return Image.fromarray(np.clip(np.rint(grey / 4) * 4, 0, 255).astype(np.uint8))


def resize(image, method):
    """Grey image, side a multiple of 28, to float32 [28, 28] in 0..1.

    area: the mean of each block of k x k pixels. bilinear: half-pixel centres, no filter before it, so for an
    even k the mean of the four pixels in the middle of each block.
    """
    pixels = np.asarray(image, dtype=np.float64)
    k = pixels.shape[0] // SIZE
    blocks = pixels.reshape(SIZE, k, SIZE, k)
    if method == "bilinear":
        blocks = blocks[:, k // 2 - 1 : k // 2 + 1, :, k // 2 - 1 : k // 2 + 1]
    return (blocks.mean(axis=(1, 3)) / 255).astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write

    if write:
        rng = np.random.default_rng(28)
        for digit, name in enumerate(NAMES):
            draw(digit, STYLES[digit], rng).save(HERE / f"{name}.png", optimize=True)
    images = [Image.open(HERE / f"{name}.png") for name in NAMES]
    session = onnxruntime.InferenceSession(HERE / "digits.onnx")
    wrong = False
    for method in ("area", "bilinear"):
        batch = np.stack([resize(image, method) for image in images])[:, None]
        probabilities = session.run(None, {"image": batch})[0]
        for digit, row in enumerate(probabilities):
            wrong |= row.argmax() != digit or row[digit] <= 0.95
            print(f"{method:8} {NAMES[digit]:5} -> {row.argmax()} with probability {row.max():.5f}")
        file = HERE / "expected" / f"{method}.npy"
        if write:
            file.parent.mkdir(exist_ok=True)
            np.save(file, probabilities)
        difference = np.abs(np.load(file) - probabilities).max()
        print(f"{method:8} largest difference from {file.name}: {difference:.2g}")
        wrong |= bool(difference > 1e-4)
    raise SystemExit("a sample is misread, unsure or differs from expected/" if wrong else 0)


if __name__ == "__main__":
    main()
