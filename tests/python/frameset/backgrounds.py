"""What is behind the text: invented pictures that look enough like the real ones.

Each function returns one that takes a frame's number and gives height × width × 3.
"""
import numpy as np
from PIL import Image
from scipy import ndimage


def grey(plane):
    return np.repeat(plane[..., None], 3, -1)


def smooth(noise, plane, radius):
    small = noise.normal(size=(plane[0] // radius + 2, plane[1] // radius + 2))
    image = Image.fromarray(small.astype(np.float32)).resize((plane[1], plane[0]), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def sector(noise, width, height, box, convex=True, bright=1.0):
    """Speckle in a fan, or a rectangle, inside box; outside black."""
    x0, y0, x1, y1 = box
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, w = (x0 + x1) / 2, (x1 - x0)
    if convex:
        radius = np.hypot(xx - cx, yy - (y0 - 0.25 * w))
        angle = np.abs(np.arctan2(xx - cx, yy - (y0 - 0.25 * w)))
        inside = (radius > 0.3 * w) & (radius < (y1 - y0) + 0.25 * w) & (angle < 0.62)
        depth = radius / ((y1 - y0) + 0.25 * w)
    else:
        inside = (xx >= x0) & (xx < x1) & (yy >= y0) & (yy < y1)
        depth = (yy - y0) / (y1 - y0)
    tissue = 75 + 40 * smooth(noise, (height, width), 40) - 45 * depth
    for _ in range(3):
        ex, ey, r = noise.uniform(x0 + 0.3 * w, x1 - 0.3 * w), noise.uniform(y0 + 0.3 * (y1 - y0), y1 - 0.1 * (y1 - y0)), noise.uniform(0.04, 0.12) * w
        tissue = np.where(np.hypot(xx - ex, (yy - ey) * 1.3) < r, 8, tissue)
    speckle = noise.rayleigh(0.8, (height, width)).astype(np.float32)
    speckle = ndimage.gaussian_filter(speckle, 0.8)

    def picture(frame):
        moved = np.roll(speckle, (frame * 3, frame * 2), (0, 1))
        return grey(np.where(inside, np.clip(tissue * moved * bright, 0, 255), 0))
    return picture


def plain(width, height, level):
    level = np.array(level if isinstance(level, tuple) else (level,) * 3, np.float32)
    return lambda frame: np.broadcast_to(level, (height, width, 3))


def angiogram(noise, width, height):
    """Bright with dark vessels that fill from frame to frame, and collimator edges."""
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    base = 150 + 22 * smooth(noise, (height, width), 70) - 30 * np.hypot(xx / width - 0.5, yy / height - 0.5)
    vessels = np.zeros((height, width), np.float32)
    for _ in range(4):
        x, y, a, r = noise.uniform(0.3, 0.7) * width, 0.15 * height, noise.uniform(0.8, 2.2), noise.uniform(3, 8)
        for _ in range(90):
            vessels[(np.abs(yy - y) < r) & (np.abs(xx - x) < r)] = 1
            a += noise.normal() * 0.16
            x, y, r = x + 5 * np.cos(a), y + 5 * np.sin(a), r * 0.99
    edge = int(0.05 * width)
    grain = noise.normal(0, 6, (height, width)).astype(np.float32)

    def picture(frame):
        plane = base - 70 * vessels * min(1, 0.3 + frame * 0.15) + np.roll(grain, frame * 7, 1)
        plane[:edge] = plane[-edge:] = 6
        plane[:, :edge] = plane[:, -edge:] = 6
        return grey(np.clip(plane, 0, 255))
    return picture


def film(noise, width, height, kind):
    """A chest, a limb or a breast on a film, bright on dark."""
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = xx / width - 0.5, yy / height - 0.5
    if kind == "chest":
        plane = 170 - 120 * np.exp(-((np.abs(u) - 0.2) ** 2 / 0.014 + (v + 0.02) ** 2 / 0.09)) - 160 * (np.abs(u) > 0.44)
        plane += 8 * np.cos(yy / height * 60 + 3 * u)
    elif kind == "breast":
        plane = 120.0 * (np.hypot((u + 0.5) / 0.7, v / 0.42) < 1) + 5
        plane *= 1 + 0.25 * smooth(noise, (height, width), max(8, width // 30))
    else:
        plane = 25 + 110 * np.exp(-(u ** 2) / 0.02) + 60 * np.exp(-((np.abs(u) - 0.03) ** 2) / 0.0008)
        plane *= 1 - 0.4 * np.exp(-((v - 0.05) ** 2) / 0.0006)
    plane = np.clip(plane + noise.normal(0, 3, (height, width)), 0, 255).astype(np.float32)
    return lambda frame: grey(plane)


def slice_(noise, width, height):
    """A cross-section: ellipses on black with grain."""
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = xx / width - 0.5, yy / height - 0.5
    plane = np.where(np.hypot(u / 0.38, v / 0.33) < 1, 90.0, 2.0)
    plane = np.where(np.hypot(u / 0.35, v / 0.30) < 1, 125.0, plane)
    for _ in range(7):
        a, b = noise.uniform(-0.22, 0.22, 2)
        plane = np.where(np.hypot((u - a) / noise.uniform(0.03, 0.11), (v - b) / noise.uniform(0.03, 0.1)) < 1, noise.uniform(20, 220), plane)
    grain = noise.normal(0, 7, (height, width))
    plane = np.clip(plane + grain * (plane > 5), 0, 255).astype(np.float32)
    return lambda frame: grey(np.roll(plane, frame, 0))


def scope(noise, width, height, box):
    """A round reddish picture in box, black beside it."""
    x0, y0, x1, y1 = box
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy, r = (x0 + x1) / 2, (y0 + y1) / 2, min(x1 - x0, y1 - y0) / 2
    d = np.hypot(xx - cx, yy - cy)
    light = (1 - 0.55 * (d / r) ** 2) * (1 + 0.12 * smooth(noise, (height, width), 24))
    hole = np.clip(np.hypot(xx - cx - r * 0.2, yy - cy) / (r * 0.35), 0.15, 1)
    plane = np.stack([205 * light * hole, 105 * light * hole, 85 * light * hole], -1) * (d < r)[..., None]
    plane = np.clip(plane, 0, 255).astype(np.float32)
    return lambda frame: np.roll(plane, frame * 2, 1) * (d < r)[..., None]


def eye(noise, width, height, paper):
    """A report page with a fundus picture and a section of the retina."""
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    plane = np.full((height, width, 3), paper, np.float32)
    d = np.hypot(xx - 0.25 * width, yy - 0.5 * height) / (0.18 * width)
    red = np.stack([190 - 60 * d, 80 - 30 * d, 30 - 8 * d], -1)
    plane[d < 1] = np.clip(red, 0, 255)[d < 1]
    y0, y1, x0, x1 = int(0.35 * height), int(0.65 * height), int(0.5 * width), int(0.95 * width)
    part = yy[y0:y1, x0:x1]
    layers = 60 + 60 * np.sin((part - y0) / 9 + np.sin(xx[y0:y1, x0:x1] / 60) * 2) * np.exp(-((part - (y0 + y1) / 2) / 40) ** 2)
    plane[y0:y1, x0:x1] = np.clip(layers * noise.rayleigh(0.8, layers.shape), 0, 255)[..., None]
    return lambda frame: plane


def monitor(noise, width, height):
    """A photographed screen: uneven light, fine stripes, a dark rim."""
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    plane = 24 + 10 * smooth(noise, (height, width), 120) + 2.5 * np.sin(xx * 0.9 + yy * 0.13)
    fan = np.hypot(xx - 0.55 * width, yy - 0.1 * height)
    plane += np.where((fan > 0.1 * width) & (fan < 0.55 * height) & (np.abs(xx - 0.55 * width) < 0.7 * (yy - 0.1 * height)), 50 * noise.rayleigh(0.8, (height, width)), 0)
    plane = np.clip(plane, 0, 255).astype(np.float32)
    tint = np.array([0.92, 1.0, 1.05], np.float32)
    return lambda frame: plane[..., None] * tint
