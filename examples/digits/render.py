"""Renders the digits 0 to 9 from installed fonts, with random pose, stroke, light, blur, noise and resize method.

Everything random comes from one numpy generator per call, so a seed and a font list give the same pixels
(for the same font files and the same Pillow).
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = 28  # the network's input is SIZE x SIZE
FONT_ROOT = Path("/usr/share/fonts")
GLYPH_PIXELS = 128  # font size of the masks that the pose transform samples from
MARGIN = 12  # empty border of a mask, so that thickening and blur are not cut off

# Debian package -> files. A font family is either for training or held out, never both.
TRAINING_FONTS = {
    "fonts-dejavu-core": ["truetype/dejavu/DejaVu*.ttf"],
    "fonts-dejavu-extra": ["truetype/dejavu/DejaVu*.ttf"],
    "fonts-liberation": ["truetype/liberation/Liberation*.ttf"],
    "fonts-freefont-ttf": ["truetype/freefont/Free*.ttf"],
    "fonts-lato": ["truetype/lato/Lato-*.ttf"],
    "fonts-open-sans": ["truetype/open-sans/OpenSans-*.ttf"],
    "fonts-comic-neue": ["opentype/comic-neue/ComicNeue-*.otf"],
    "fonts-hack": ["truetype/hack/Hack-*.ttf"],
    "fonts-urw-base35": [
        f"opentype/urw-base35/{family}*.otf"
        for family in ("C059", "Nimbus", "P052", "URWBookman", "URWGothic", "Z003")
    ],
}
HELD_OUT_FONTS = {
    "fonts-cantarell": ["opentype/cantarell/Cantarell-*.otf"],
    "fonts-crosextra-caladea": ["truetype/crosextra/Caladea-*.ttf"],
    "fonts-inconsolata": ["truetype/inconsolata/Inconsolata.otf"],
    "fonts-linuxlibertine": ["opentype/linux-libertine/LinLibertine_R*.otf", "opentype/linux-libertine/LinBiolinum_R*.otf"],
}
HAIRLINES = ("Hairline", "Thin")  # strokes far below one pixel at 28 x 28: nothing is left to read


def font_files(packages):
    """The sorted font files of these packages; names the packages to install where files are missing."""
    found, missing = set(), []
    for package, patterns in packages.items():
        for pattern in patterns:
            files = [f for f in FONT_ROOT.glob(pattern) if not any(word in f.name for word in HAIRLINES)]
            if not files:
                missing.append(package)
            found.update(files)
    if missing:
        raise SystemExit(f"No font files of {', '.join(sorted(set(missing)))} under {FONT_ROOT}. "
                         f"Install them: apt-get install {' '.join(packages)}")
    return sorted(found)


def glyph_mask(font_file, digit):
    """The digit's ink in white on black, cropped to its ink plus MARGIN."""
    font = ImageFont.truetype(str(font_file), GLYPH_PIXELS)
    left, top, right, bottom = font.getbbox(str(digit))
    mask = Image.new("L", (right - left + 2 * MARGIN, bottom - top + 2 * MARGIN))
    ImageDraw.Draw(mask).text((MARGIN - left, MARGIN - top), str(digit), fill=255, font=font)
    return mask


def pose(mask, canvas, height, rotation, shear, stretch, shift):
    """Places the mask on a square canvas: ink height and shift as parts of the canvas, angles in degrees."""
    scale = height * canvas / (mask.height - 2 * MARGIN)
    width = (mask.width - 2 * MARGIN) * scale * stretch
    stretch *= min(1.0, 0.85 * canvas / width)  # wide digits stay inside
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    forward = (np.array([[cos, -sin], [sin, cos]]) @ np.array([[1.0, np.tan(np.radians(shear))], [0.0, 1.0]])
               @ np.diag([scale * stretch, scale]))
    inverse = np.linalg.inv(forward)
    centre = np.array([canvas / 2, canvas / 2]) + np.array(shift) * canvas
    offset = np.array([mask.width / 2, mask.height / 2]) - inverse @ centre
    coefficients = (*inverse[0], offset[0], *inverse[1], offset[1])
    return mask.transform((canvas, canvas), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)


def random_stroke(mask, rng):
    kind = rng.choice(["as drawn", "thicker", "thinner"], p=[0.7, 0.15, 0.15])
    if kind == "thicker":
        return mask.filter(ImageFilter.MaxFilter(int(rng.choice([3, 5, 7]))))
    if kind == "thinner":
        return mask.filter(ImageFilter.MinFilter(3))
    return mask


def random_light(ink, dark_on_light, rng):
    """Ink in 0..1 to grey in 0..1: contrast of at least 0.35, uneven light, either polarity."""
    size = ink.shape[0]
    contrast = rng.uniform(0.35, 1.0) if rng.random() < 0.6 else rng.uniform(0.9, 1.0)
    background = rng.uniform(0.0, 1.0 - contrast)
    grey = background + contrast * ink
    if rng.random() < 0.4:
        y, x = np.mgrid[0:size, 0:size] / size - 0.5
        angle = rng.uniform(0, 2 * np.pi)
        grey = grey + rng.uniform(0, 0.3) * contrast * (np.cos(angle) * x + np.sin(angle) * y)
    return 1.0 - grey if dark_on_light else grey


def shrink(grey, method):
    """A square uint8 image to SIZE x SIZE by one of the methods that programs use for it."""
    image = Image.fromarray(grey)
    scale = image.width / SIZE
    if method == "area":
        return image.resize((SIZE, SIZE), Image.Resampling.BOX)
    if method == "smooth":  # bilinear with a filter as wide as the reduction
        return image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    point = Image.Resampling.NEAREST if method == "nearest" else Image.Resampling.BILINEAR
    return image.transform((SIZE, SIZE), Image.Transform.AFFINE, (scale, 0, 0, 0, scale, 0), point)


def random_digit(mask, dark_on_light, rng):
    """One uint8 image of SIZE x SIZE."""
    canvas = int(rng.choice([20, 28, 56, 112, 168, 224], p=[0.05, 0.15, 0.2, 0.4, 0.1, 0.1]))
    ink = pose(
        random_stroke(mask, rng),
        canvas,
        height=rng.uniform(0.42, 0.86),
        rotation=rng.uniform(-20, 20),
        shear=rng.uniform(-12, 12),
        stretch=rng.uniform(0.8, 1.25),
        shift=rng.uniform(-0.1, 0.1, size=2),
    )
    if rng.random() < 0.5:
        ink = ink.filter(ImageFilter.GaussianBlur(rng.uniform(0.1, 1.0) * canvas / SIZE))
    grey = random_light(np.asarray(ink, dtype=np.float64) / 255, dark_on_light, rng)
    if rng.random() < 0.5:
        grey = grey + rng.normal(0, rng.uniform(0.01, 0.12), size=grey.shape)
    grey = np.clip(np.rint(grey * 255), 0, 255).astype(np.uint8)
    method = rng.choice(["area", "smooth", "bilinear", "nearest"], p=[0.35, 0.15, 0.4, 0.1])
    return np.asarray(shrink(grey, method))


def render(fonts, count, seed):
    """count images, as (uint8 [count, 1, 28, 28], int64 labels [count], bool dark_on_light [count])."""
    rng = np.random.default_rng(seed)
    masks = [[glyph_mask(font, digit) for digit in range(10)] for font in fonts]
    labels = np.arange(count) % 10
    dark_on_light = (np.arange(count) // 10) % 2 == 1
    images = np.empty((count, 1, SIZE, SIZE), dtype=np.uint8)
    for i in range(count):
        mask = masks[rng.integers(len(fonts))][labels[i]]
        images[i, 0] = random_digit(mask, dark_on_light[i], rng)
    return images, labels.astype(np.int64), dark_on_light
