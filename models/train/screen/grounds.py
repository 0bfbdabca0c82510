"""What lies behind text: invented bodies, grain and speckle, and real slices.

Each function gives a picture of `side` × `side` pixels as float32 in 0 to 255. None
holds text. `generator` is a numpy Generator; nothing else is random.
"""
import numpy as np
from PIL import Image
from scipy import ndimage


def smooth(generator, side, radius):
    """Noise of about unit variance that varies over `radius` pixels."""
    count = max(3, int(side / radius) + 3)
    small = generator.normal(size=(count, count)).astype(np.float32)
    wide = -(-side * count // (count - 2))
    large = np.asarray(Image.fromarray(small).resize((wide, wide), Image.Resampling.BICUBIC))
    start = generator.integers(0, wide - side + 1)
    return large[start : start + side, start : start + side]


def grain(generator, side):
    """Noise of a scanner: white, smoothed, or with streaks, of unit variance."""
    noise = generator.normal(size=(side, side)).astype(np.float32)
    kind = generator.random()
    if kind < 0.7:
        sigma = generator.uniform(0.3, 2.2)
        noise = ndimage.gaussian_filter(noise, (sigma, sigma * generator.uniform(0.7, 1.4)))
        if kind < 0.3:  # The middle frequencies of a sharp kernel.
            noise = noise - ndimage.gaussian_filter(noise, sigma * generator.uniform(1.5, 3))
    return noise / max(noise.std(), 1e-6)


def places(side):
    yy, xx = np.mgrid[0:side, 0:side].astype(np.float32)
    return xx / side - 0.5, yy / side - 0.5


def ellipse(generator, u, v, centre, radii):
    angle = generator.uniform(0, np.pi)
    x, y = u - centre[0], v - centre[1]
    return np.hypot((x * np.cos(angle) + y * np.sin(angle)) / radii[0], (y * np.cos(angle) - x * np.sin(angle)) / radii[1])


def tubes(generator, plane, count, value):
    """Vessels, lines of an ECG, wires: curves of 1 to 8 pixels."""
    side = plane.shape[0]
    for _ in range(count):
        x, y = generator.uniform(0, side, 2)
        angle, width = generator.uniform(0, 2 * np.pi), generator.uniform(0.6, 5)
        bend = generator.uniform(0.02, 0.25)
        level = value * generator.uniform(0.3, 1)
        for _ in range(generator.integers(20, 200)):
            r = int(np.ceil(width))
            x0, y0 = int(x), int(y)
            if not (r < x0 < side - r - 1 and r < y0 < side - r - 1):
                break
            plane[y0 - r // 2 : y0 + (r + 1) // 2 + 1, x0 - r // 2 : x0 + (r + 1) // 2 + 1] += level * 0.5
            angle += generator.normal() * bend
            x, y, width = x + np.cos(angle), y + np.sin(angle), width * 0.997
    return plane


def body(generator, side):
    """A slice through a body that nobody has: outline, organs, bones, vessels, a table."""
    u, v = places(side)
    outline = ellipse(generator, u, v, generator.uniform(-0.06, 0.06, 2), generator.uniform(0.25, 0.48, 2))
    outline = outline + 0.05 * smooth(generator, side, side / generator.uniform(3, 9))
    plane = np.where(outline < 1, generator.uniform(60, 160), generator.uniform(0, 15)).astype(np.float32)
    rim = generator.uniform(0.85, 0.98)
    plane = np.where((outline < 1) & (outline > rim), generator.uniform(30, 255), plane)
    for _ in range(generator.integers(3, 22)):
        centre, radii = generator.uniform(-0.35, 0.35, 2), np.exp(generator.uniform(np.log(0.008), np.log(0.2), 2))
        organ = ellipse(generator, u, v, centre, radii) + 0.1 * smooth(generator, side, side / generator.uniform(4, 40))
        level = generator.uniform(0, 255)
        inside = (organ < 1) & (outline < rim)
        plane = np.where(inside & (organ > generator.uniform(0, 1)) if generator.random() < 0.25 else inside, level, plane)
    if generator.random() < 0.35:  # Vessels cut across.
        level, stretch = generator.uniform(0, 255), generator.uniform(1, 2)
        for x, y, r in generator.uniform((-0.4, -0.4, 0.002), (0.4, 0.4, 0.014), (generator.integers(10, 80), 3)):
            plane[np.hypot((u - x) / r, (v - y) / (r * stretch)) < 1] = level
    plane = tubes(generator, plane, generator.integers(0, 25), generator.uniform(-80, 120))
    if generator.random() < 0.3:
        row = generator.integers(side // 2, side)
        plane[row : row + generator.integers(1, 6)] += generator.uniform(20, 120)
    plane = ndimage.gaussian_filter(plane, generator.uniform(0.3, 2.0))
    if generator.random() < 0.3:  # Streaks of metal.
        x, y = generator.uniform(-0.3, 0.3, 2)
        angle = np.arctan2(v - y, u - x)
        streaks = np.interp(angle, np.linspace(-np.pi, np.pi, 200), generator.normal(size=200))
        plane += generator.uniform(2, 25) * streaks * np.exp(-6 * np.hypot(u - x, v - y))
    return plane + generator.uniform(0, 14) * grain(generator, side) * (outline < 1.1 if generator.random() < 0.7 else 1)


def folds(generator, side):
    """Bands of one width, as brain, bowel and trabecular bone have them."""
    low = generator.uniform(2, 22)
    noise = generator.normal(size=(side, side)).astype(np.float32)
    band = ndimage.gaussian_filter(noise, low) - ndimage.gaussian_filter(noise, low * generator.uniform(1.3, 2.2))
    band = band / band.std()
    plane = 120 + generator.uniform(15, 60) * np.tanh(band * generator.uniform(0.5, 4))
    u, v = places(side)
    inside = ellipse(generator, u, v, generator.uniform(-0.05, 0.05, 2), generator.uniform(0.25, 0.6, 2)) < 1
    plane = np.where(inside, plane, generator.uniform(0, 20))
    return ndimage.gaussian_filter(plane, generator.uniform(0, 1)) + generator.uniform(0, 12) * grain(generator, side)


def speckle(generator, side):
    """Ultrasound: the envelope of filtered noise, compressed, over layers, cysts and reflectors."""
    shape = generator.uniform(0.6, 1.6), generator.uniform(0.9, 4.5)
    if generator.random() < 0.3:
        shape = shape[::-1]
    u, v = places(side)
    tissue = generator.uniform(0.3, 1) * smooth(generator, side, side / generator.uniform(2, 8))
    for _ in range(generator.integers(0, 8)):
        organ = ellipse(generator, u, v, generator.uniform(-0.5, 0.5, 2), np.exp(generator.uniform(np.log(0.01), np.log(0.25), 2)))
        tissue = np.where(organ < 1, tissue + generator.uniform(-4, 1.5), tissue)
    for _ in range(generator.integers(0, 8)):  # Layers and walls.
        depth = generator.uniform(-0.5, 0.5) + generator.uniform(-0.2, 0.2) * u + 0.03 * smooth(generator, side, side / 4)
        tissue = tissue + generator.uniform(0.5, 3) * np.exp(-(((v - depth) / generator.uniform(0.002, 0.02)) ** 2))
    amplitude = np.exp(tissue)
    part = [ndimage.gaussian_filter(generator.normal(size=(side, side)).astype(np.float32) * amplitude, shape) for _ in range(2)]
    envelope = np.hypot(*part)
    decibel = 20 * np.log10(envelope / np.percentile(envelope, 99) + 1e-6)
    reach = generator.uniform(40, 75)
    plane = np.clip(255 * (1 + decibel / reach), 0, 255) * generator.uniform(0.5, 1)
    kind = generator.random()
    if kind < 0.6:
        apex, top = generator.uniform(-0.3, 0.3), generator.uniform(-0.9, -0.4)
        angle, radius = np.abs(np.arctan2(u - apex, v - top)), np.hypot(u - apex, v - top)
        plane = np.where((angle < generator.uniform(0.4, 0.9)) & (radius > generator.uniform(0, 0.4)) & (radius < generator.uniform(0.9, 1.4)), plane, 0)
    elif kind < 0.75:
        plane = np.where((np.abs(u) < generator.uniform(0.2, 0.5)) & (np.abs(v) < generator.uniform(0.2, 0.5)), plane, 0)
    if generator.random() < 0.25:  # An ECG under the scan.
        beat = np.interp(np.arange(side) % generator.integers(60, 200), [0, 20, 24, 28, 33, 50, 70, 200], [0, 0, -6, 30, -10, 0, 8, 0])
        row = int(side * generator.uniform(0.75, 0.95))
        rows = np.clip(row - beat * generator.uniform(0.5, 1.5), 0, side - 1).astype(int)
        plane[rows, np.arange(side)] = generator.uniform(120, 255)
    return ndimage.gaussian_filter(plane, generator.choice([0, 0, 0.5, 0.8])).astype(np.float32)


def plain(generator, side):
    """One shade, a ramp, or blocks, with little or no grain."""
    u, v = places(side)
    plane = np.full((side, side), generator.choice([0, 0, 0, 20, 60, 128, 200, 255]), np.float32)
    if generator.random() < 0.5:
        plane = plane + generator.uniform(-120, 120) * (u * generator.uniform(-1, 1) + v)
    for _ in range(generator.integers(0, 5)):
        x0, x1 = np.sort(generator.integers(0, side, 2))
        y0, y1 = np.sort(generator.integers(0, side, 2))
        plane[y0:y1, x0:x1] = generator.uniform(0, 255)
    return plane + generator.choice([0, 0, 1, 3]) * grain(generator, side)


def film(generator, side):
    """A radiograph: broad shades, ribs, collimator's edges, grain."""
    u, v = places(side)
    plane = 130 + 60 * smooth(generator, side, side / 3) + 20 * smooth(generator, side, side / 12)
    count = generator.uniform(4, 14)
    plane += generator.uniform(0, 30) * np.tanh(3 * np.sin(2 * np.pi * count * (v + generator.uniform(-0.8, 0.8) * u * u)))
    plane = tubes(generator, plane, generator.integers(0, 15), generator.uniform(-60, 60))
    plane = ndimage.gaussian_filter(plane, generator.uniform(0.5, 2))
    if generator.random() < 0.5:
        edge = generator.uniform(0.3, 0.49)
        plane = np.where((np.abs(u) < edge) & (np.abs(v) < generator.uniform(0.3, 0.49)), plane, generator.choice([0, 10, 250]))
    return plane + generator.uniform(0, 10) * grain(generator, side)


class Slices:
    """Real slices, each shown through a window of its own."""

    def __init__(self, folder):
        import pathlib

        self.planes = [np.load(path) for path in sorted(pathlib.Path(folder).glob("*.npy"))]

    def __call__(self, generator, side):
        plane = self.planes[generator.integers(len(self.planes))].astype(np.float32)
        factor = side / min(plane.shape) * np.exp(generator.uniform(0, np.log(2.2)))
        factor = max(min(factor, 4), side / min(plane.shape))
        plane = ndimage.zoom(plane, factor, order=1)
        y, x = (generator.integers(0, size - side + 1) for size in plane.shape)
        plane = plane[y : y + side, x : x + side]
        kind = generator.random()
        if kind < 0.35:
            low, high = plane.min(), plane.max()
        elif kind < 0.75:
            low, high = np.percentile(plane, [0.5, 99.5])
        else:
            low, high = np.sort(generator.choice(plane.ravel(), 2))
        plane = np.clip((plane - low) * (255 / max(high - low, 1)), 0, 255)
        if generator.random() < 0.3:
            plane = plane[::-1]
        if generator.random() < 0.3:
            plane = plane.T
        return plane + generator.choice([0, 0, 2, 6]) * grain(generator, side)


def equalised(generator, plane):
    """As the view by noise shows it: each part of the range gets room, grain too."""
    values, counts = np.unique(np.clip(plane, 0, 255).astype(np.uint8), return_counts=True)
    shares = np.cumsum(counts**0.5)
    curve = np.interp(np.arange(256), values, 255 * shares / shares[-1])
    mixed = generator.uniform(0.3, 1)
    return mixed * np.interp(plane, np.arange(256), curve) + (1 - mixed) * plane
