"""The embedded world: procedurally drawn objects with a known taxonomy.

64 fine classes are nested in 8 basic classes in 2 superordinate classes:

- superordinate: shape family, rounded "creatures" (ellipses) or angular "artefacts" (boxes);
- basic: the layout of the parts (four layouts a family);
- fine: surface texture (4 a superordinate class) x palette (2 a superordinate class).

Everything else varies freely from image to image and carries no class information: position, size,
rotation, slant, light direction, light intensity and colour, and a cluttered coloured background. Pixels
alone therefore do not give the class (``tests/world/test_images.py`` measures it).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SIZE = 48
N_FINE = 64
LEVELS = {2: "superordinate", 8: "basic", 64: "fine"}
SUPERORDINATE_NAMES = ("creature", "artefact")
BASIC_NAMES = ("walker", "hare", "fish", "penguin", "hammer", "table", "house", "cross")
# Surfaces are nested in the superordinate class: creatures have the first half of each, artefacts the second.
# Hues alternate around the colour circle, so that no single colour axis tells creatures from artefacts.
TEXTURES = ("plain", "spots", "rings", "patches", "stripes", "bars", "checks", "grid")
PALETTES = ("orange", "cyan", "green", "violet")
HUES = np.array([0.05, 0.52, 0.30, 0.77])
HUE_JITTER = 0.09
CHUNK = 64  # images drawn together: the temporaries of one chunk stay in the processor's cache

# One row per part: centre x, centre y, half width, half height, angle in degrees, in object coordinates
# (x to the right, y down, the object fills about [-1, 1]). The first row is the body.
_PARTS = (
    # creatures: each part is an ellipse
    [(0, .05, .62, .36, 0), (.62, -.38, .28, .25, 0), (-.38, .55, .12, .32, 0), (.34, .55, .12, .32, 0),
     (-.72, -.12, .22, .08, 35)],
    [(0, .35, .42, .52, 0), (0, -.28, .32, .28, 0), (-.2, -.75, .1, .34, -12), (.2, -.75, .1, .34, 12),
     (.45, .7, .16, .15, 0)],
    [(.12, 0, .66, .38, 0), (-.72, -.22, .32, .13, 40), (-.72, .22, .32, .13, -40), (.1, -.42, .24, .14, -20),
     (.15, .42, .2, .12, 20)],
    [(0, .3, .4, .42, 0), (0, -.22, .28, .24, 0), (0, -.62, .2, .18, 0), (-.5, .1, .34, .07, 25),
     (.5, .1, .34, .07, -25)],
    # artefacts: every part is a box
    [(0, .25, .13, .68, 0), (0, -.52, .6, .24, 0), (.52, -.52, .14, .34, 0), (-.6, -.46, .2, .1, 0),
     (0, .85, .2, .1, 0)],
    [(0, -.3, .82, .16, 0), (-.62, .3, .11, .5, 0), (.62, .3, .11, .5, 0), (0, .2, .55, .07, 0),
     (0, -.5, .3, .08, 0)],
    [(0, .38, .52, .44, 0), (0, -.2, .42, .42, 45), (.38, -.55, .1, .24, 0), (-.7, .66, .14, .16, 0),
     (.7, .66, .14, .16, 0)],
    [(0, 0, .16, .9, 45), (0, 0, .16, .9, -45), (0, 0, .34, .34, 0), (.58, -.58, .2, .2, 0),
     (-.58, .58, .2, .2, 0)],
)  # fmt: skip
PARTS = np.array(_PARTS, dtype=np.float32)  # (8 basic, 5 parts, 5 numbers)


class Images(NamedTuple):
    """Images and everything that is known about them."""

    pixels: np.ndarray  # (n, SIZE, SIZE, 3) uint8
    fine: np.ndarray  # (n,) int: 0..63
    pose: np.ndarray  # (n, 4) float: x, y, scale, rotation; free of class information

    @property
    def basic(self) -> np.ndarray:
        return self.fine // 8

    @property
    def superordinate(self) -> np.ndarray:
        return self.fine // 32

    @property
    def texture(self) -> np.ndarray:
        return texture(self.fine)

    @property
    def palette(self) -> np.ndarray:
        return palette(self.fine)


def texture(fine):
    """Number of the texture of fine classes, an index into TEXTURES."""
    return fine // 32 * 4 + fine % 8 // 2


def palette(fine):
    """Number of the palette of fine classes, an index into PALETTES."""
    return fine // 32 * 2 + fine % 2


def fine_name(fine: int) -> str:
    """Readable name of a fine class.

    >>> fine_name(0), fine_name(63)
    ('walker-plain-orange', 'cross-grid-violet')
    """
    return f"{BASIC_NAMES[fine // 8]}-{TEXTURES[texture(fine)]}-{PALETTES[palette(fine)]}"


def taxonomy(fine: np.ndarray, k: int) -> np.ndarray:
    """Class labels of the world's own taxonomy at 2, 8 or 64 classes."""
    if k not in LEVELS:
        raise ValueError(f"the world's taxonomy has {sorted(LEVELS)} classes, not {k}")
    return np.asarray(fine) // (N_FINE // k)


def draw(per_class: int, seed: int) -> Images:
    """Draw ``per_class`` images of each of the 64 fine classes, in class order.

    Parameters
    ----------
    per_class : images a fine class.
    seed : images of different seeds are independent; the same seed gives the same images.
    """
    rng = np.random.default_rng([seed, 20081])
    fine = np.repeat(np.arange(N_FINE), per_class)
    n = len(fine)
    scene = _scene(rng, fine)
    pixels = np.empty((n, SIZE, SIZE, 3), np.uint8)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        pixels[part] = _render({name: value[part] for name, value in scene.items()})
    pose = np.stack([scene["x"], scene["y"], scene["scale"], scene["angle"]], axis=1)
    return Images(pixels, fine, pose)


def save(images: Images, folder) -> None:
    """Write images as files, ``<folder>/<basic class>/<number>.png``, as training reads them."""
    from pathlib import Path

    from PIL import Image

    for i, (pixels, basic) in enumerate(zip(images.pixels, images.basic, strict=True)):
        path = Path(folder, BASIC_NAMES[basic], f"{i:05d}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def _scene(rng: np.random.Generator, fine: np.ndarray) -> dict[str, np.ndarray]:
    """All random numbers of all images, drawn before rendering so that chunks cannot change them."""
    n = len(fine)

    def uniform(low, high, *shape):
        return rng.uniform(low, high, (n, *shape)).astype(np.float32)

    hue = HUES[palette(fine)] + rng.normal(0, HUE_JITTER, n)
    colour = _hsv(hue, rng.uniform(0.45, 0.9, n), rng.uniform(0.65, 1.0, n))
    second = _hsv(hue + rng.normal(0, 0.04, n), rng.uniform(0.3, 0.8, n), rng.uniform(0.12, 0.4, n))
    background = _hsv(rng.uniform(0, 1, (n, 2)), rng.uniform(0.05, 0.6, (n, 2)), rng.uniform(0.2, 0.9, (n, 2)))
    return {
        "basic": fine // 8,
        "texture": texture(fine),
        "x": uniform(-0.28, 0.28),
        "y": uniform(-0.28, 0.28),
        "scale": uniform(0.52, 0.80),
        "angle": uniform(-0.6, 0.6),
        "slant": uniform(0.8, 1.25),
        "mirror": np.where(rng.random(n) < 0.5, -1.0, 1.0).astype(np.float32),
        "frequency": uniform(2.2, 3.0),
        "phase": uniform(0, 2 * np.pi, 2),
        "light": uniform(0, 2 * np.pi),
        "gain": uniform(0.7, 1.15),
        "cast": uniform(0.88, 1.12, 3),
        "colour": colour,
        "second": second,
        "background": background,
        "wave": uniform(-5, 5, 4, 2),
        "wave_phase": uniform(0, 2 * np.pi, 4),
        "wave_colour": rng.normal(0, 0.09, (n, 4, 3)).astype(np.float32),
        "grain": rng.integers(0, 2**32, n, dtype=np.uint64),
    }


def _render(s: dict[str, np.ndarray]) -> np.ndarray:
    """Scene parameters of a chunk -> (chunk, SIZE, SIZE, 3) uint8."""
    n = len(s["x"])
    axis = ((np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * 2 - 1).astype(np.float32)
    image = _background(s, axis)

    # object coordinates: undo translation, rotation, slant, mirror
    dx = axis[None, None, :] - s["x"][:, None, None]
    dy = axis[None, :, None] - s["y"][:, None, None]
    cos, sin = np.cos(s["angle"])[:, None, None], np.sin(s["angle"])[:, None, None]
    scale = s["scale"][:, None, None]
    u = (cos * dx + sin * dy) / (scale * s["slant"][:, None, None] * s["mirror"][:, None, None])
    v = (-sin * dx + cos * dy) / scale * s["slant"][:, None, None]

    inside = _distance(u, v, s["basic"])
    edge = 1.0 / (SIZE / 2 * scale)  # one pixel in object coordinates
    mask = np.clip(0.5 - inside / edge, 0, 1)[..., None]

    texture = _texture(u, v, s["texture"], s["frequency"], s["phase"])[..., None]
    paint = s["colour"][:, None, None] * (1 - texture) + s["second"][:, None, None] * texture
    light = np.cos(s["light"])[:, None, None] * dx + np.sin(s["light"])[:, None, None] * dy
    paint = paint * (0.8 + 0.45 * (light / scale))[..., None]
    # creatures are rounded: they darken towards the silhouette; artefacts are flat with a bright bevel
    rim = np.clip(1 + inside / 0.12, 0, 1)
    rim_colour = np.where((s["basic"] < 4)[:, None, None], 1 - 0.75 * rim, 1 + 0.9 * (rim > 0.35))
    paint = paint * rim_colour[..., None]
    image += mask * (paint - image)
    image *= (s["gain"][:, None] * s["cast"])[:, None, None]

    grain = np.empty((n, SIZE, SIZE, 1), np.float32)
    for i, seed in enumerate(s["grain"]):
        grain[i] = np.random.Generator(np.random.SFC64(int(seed))).random((SIZE, SIZE, 1), np.float32)
    image += (grain - 0.5) * 0.06
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def _background(s: dict[str, np.ndarray], axis: np.ndarray) -> np.ndarray:
    """A gradient between two colours, in the direction of the first of four coloured waves."""
    x, y = axis[None, None, None, :], axis[None, None, :, None]
    wave = s["wave"][..., None, None]
    waves = np.cos(wave[:, :, 0] * x + wave[:, :, 1] * y + s["wave_phase"][..., None, None])  # (n, 4, h, w)
    ramp = (0.5 + 0.5 * waves[:, 0])[..., None]
    first, last = s["background"][:, None, None, 0], s["background"][:, None, None, 1]
    n, _, h, w = waves.shape
    clutter = np.matmul(waves.reshape(n, 4, h * w).transpose(0, 2, 1), s["wave_colour"]).reshape(n, h, w, 3)
    return (first * (1 - ramp) + last * ramp + clutter).astype(np.float32)


def _distance(u: np.ndarray, v: np.ndarray, basic: np.ndarray) -> np.ndarray:
    """Signed distance (approximate) to the union of the parts: below 0 inside. u, v (n, h, w)."""
    parts = PARTS[basic]  # (n, parts, 5)
    round_shape = (basic < 4)[:, None, None]
    nearest = np.full_like(u, np.inf)
    for p in range(parts.shape[1]):
        cx, cy, a, b, degrees = (parts[:, p, j, None, None] for j in range(5))
        cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        px, py = np.abs(cos * (u - cx) + sin * (v - cy)), np.abs(-sin * (u - cx) + cos * (v - cy))
        ellipse = (np.sqrt((px / a) ** 2 + (py / b) ** 2) - 1) * np.minimum(a, b)
        box = np.maximum(px - a, py - b)
        np.minimum(nearest, np.where(round_shape, ellipse, box), out=nearest)
    return nearest


def _texture(u, v, kind, frequency, phase) -> np.ndarray:
    """Share of the texture's second colour, 0..1, (n, h, w). ``kind`` (n,) indexes TEXTURES."""
    pattern = np.empty_like(u)
    for k in np.unique(kind):  # images come in class order, so a chunk has few textures
        rows = kind == k
        f = (frequency[rows] * np.pi)[:, None, None]
        first, second = phase[rows, 0, None, None], phase[rows, 1, None, None]
        pattern[rows] = _PATTERNS[TEXTURES[k]](u[rows], v[rows], f, first, second)
    return np.clip(0.5 + 2 * pattern, 0, 1)


# share of the second colour before clipping: above 0.25 only the second, below -0.25 only the first
_PATTERNS = {
    "plain": lambda u, v, f, p, q: np.full_like(u, -1),
    "spots": lambda u, v, f, p, q: np.sin(f * u + p) * np.sin(f * v + q) * 2 - 0.6,
    "rings": lambda u, v, f, p, q: np.sin(1.5 * f * np.sqrt(u**2 + v**2) + p),
    "patches": lambda u, v, f, p, q: np.sin(0.6 * f * (u + 0.5 * np.sin(f * v + q)) + p) - 0.2,
    "stripes": lambda u, v, f, p, q: np.sin(1.3 * f * u + p),
    "bars": lambda u, v, f, p, q: np.sin(1.3 * f * v + q),
    "checks": lambda u, v, f, p, q: np.sign(np.sin(f * u + p) * np.sin(f * v + q)),
    "grid": lambda u, v, f, p, q: np.maximum(np.abs(np.sin(f * u + p)), np.abs(np.sin(f * v + q))) * 4 - 3.7,
}


def _hsv(hue, saturation, value) -> np.ndarray:
    """HSV in 0..1 (any equal shapes) -> RGB float32 with a trailing axis of 3."""
    hue = np.asarray(hue)[..., None]
    k = (np.array([5.0, 3.0, 1.0]) + hue * 6) % 6
    ramp = np.clip(np.minimum(k, 4 - k), 0, 1)
    return (value[..., None] * (1 - saturation[..., None] * ramp)).astype(np.float32)
