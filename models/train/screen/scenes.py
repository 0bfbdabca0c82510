"""Training pictures: a ground, and on half of them lines of text.

`Scenes` makes them without end; the same seed and shares give the same pictures.
Each comes with the boxes of what is written: [x0, y0, x1, y1, weight], weight 1 for a
line that stands out clearly from the ground's own grain, down to 0 for one that the
detector does not find either.
"""
import io

import grounds
import numpy as np
from PIL import Image
from scipy import ndimage
from typefaces import Writer

SIDE = 256
# How far a line's ink stands out, in parts of the grain around it: the detector finds
# about a fifth of the lines at CLEAR[0] + 1 and nearly all of those at CLEAR[1].
CLEAR = (1, 6)
FAINT = 5
NEAR = 8


class Scenes:
    def __init__(self, typefaces, real, seed, written=0.5, pool=600, masks=3000):
        self.generator = np.random.default_rng(seed)
        self.writer = Writer(typefaces, self.generator)
        self.written = written
        self.kinds = [grounds.body, grounds.folds, grounds.speckle, grounds.plain, grounds.film]
        self.shares = np.array([0.3, 0.08, 0.3, 0.05, 0.12])
        if real:
            self.kinds.append(grounds.Slices(real))
            self.shares = np.append(self.shares, 0.6)
        self.shares /= self.shares.sum()
        # A pool that is renewed piece by piece: drawing costs more than using.
        self.pool = [self.ground() for _ in range(pool)]
        self.masks = [self.writer.line() for _ in range(masks)]

    def ground(self):
        kind = self.kinds[self.generator.choice(len(self.kinds), p=self.shares)]
        plane = kind(self.generator, 384)
        if self.generator.random() < 0.2:
            plane = grounds.equalised(self.generator, plane)
        return np.clip(plane, 0, 255).astype(np.float32)

    def crop(self):
        generator = self.generator
        if generator.random() < 0.04:
            self.pool[generator.integers(len(self.pool))] = self.ground()
        if generator.random() < 0.5:
            self.masks[generator.integers(len(self.masks))] = self.writer.line()
        plane = self.pool[generator.integers(len(self.pool))]
        y, x = generator.integers(0, plane.shape[0] - SIDE + 1, 2)
        plane = plane[y : y + SIDE, x : x + SIDE]
        if generator.random() < 0.5:
            plane = plane[:, ::-1]
        if generator.random() < 0.5:
            plane = 255 - plane if generator.random() < 0.2 else plane
        gain, shift = generator.uniform(0.4, 1.1), generator.choice([0, 0, generator.uniform(-30, 60)])
        return (plane * gain + shift).copy()

    def write(self, plane, boxes):
        """One more line, if it finds room."""
        generator = self.generator
        mask = self.masks[generator.integers(len(self.masks))]
        turn = generator.random()
        if turn < 0.12:
            mask = np.rot90(mask, generator.integers(1, 4))
        elif turn < 0.18:
            image = Image.fromarray(mask).rotate(generator.uniform(-30, 30), Image.Resampling.BILINEAR, expand=True)
            mask = np.asarray(image)
        mask = mask.astype(np.float32) / 255
        if generator.random() < 0.25:
            mask = np.pad(ndimage.gaussian_filter(np.pad(mask, 2), generator.uniform(0.3, 0.9)), 0)
        height, width = mask.shape
        y = generator.integers(-height // 5, max(1 - height // 5, SIDE - height * 4 // 5))
        x = generator.integers(-width // 2, max(1 - width // 2, SIDE - width // 2))
        y0, x0, y1, x1 = max(y, 0), max(x, 0), min(y + height, SIDE), min(x + width, SIDE)
        if y1 - y0 < 5 or x1 - x0 < 5 or (y1 - y0 < height * 0.7 and height < width):
            return
        if any(x0 < b[2] + 6 and b[0] < x1 + 6 and y0 < b[3] + 6 and b[1] < y1 + 6 for b in boxes):
            return
        mask = mask[y0 - y : y1 - y, x0 - x : x1 - x]
        if mask.max() < 0.5 or (mask > 0.5).sum() < 8:
            return
        place = plane[y0:y1, x0:x1]
        style = generator.random()
        if style < 0.12:  # In a box of its own.
            margin = generator.integers(1, 5)
            box = plane[max(y0 - margin, 0) : y1 + margin, max(x0 - margin, 0) : x1 + margin]
            box[:] = generator.uniform(0, 255)
        elif style < 0.27:  # With an outline.
            rim = ndimage.grey_dilation(mask, size=(3, 3)) - mask
            place[:] = place * (1 - rim) + generator.choice([0, 0, 255]) * rim
        level = place.mean()
        if generator.random() < 0.4:
            contrast = generator.uniform(60, 255)
        else:
            contrast = np.exp(generator.uniform(np.log(4), np.log(80)))
        up = generator.random() < (0.85 if level < 110 else 0.4)
        ink = level + contrast if up else level - contrast
        if style > 0.9:  # Let through a little of the ground.
            ink = 0.7 * ink + 0.3 * place
        before, whole = place.copy(), plane.copy()
        place[:] = np.clip(place * (1 - mask) + ink * mask, 0, 255)
        around = whole[max(y0 - NEAR, 0) : y1 + NEAR, max(x0 - NEAR, 0) : x1 + NEAR]
        grain = (around - ndimage.uniform_filter(around, 9)).std()
        difference = np.abs(place - before)
        seen = difference[mask > 0.5].mean()
        clear = np.clip((seen / max(grain, 1) - CLEAR[0]) / (CLEAR[1] - CLEAR[0]), 0, 1) if seen >= FAINT else 0
        boxes.append([x0, y0, x1, y1, float(clear)])

    def __iter__(self):
        return self

    def __next__(self):
        generator = self.generator
        plane, boxes = self.crop(), []
        if generator.random() < self.written:
            for _ in range(generator.choice([1, 1, 2, 4])):
                self.write(plane, boxes)
        plane = np.clip(plane, 0, 255)
        coded = generator.random()
        if coded < 0.25:
            stream = io.BytesIO()
            Image.fromarray(plane.astype(np.uint8)).save(stream, "JPEG", quality=int(generator.integers(60, 96)))
            plane = np.asarray(Image.open(stream))
        return plane.astype(np.uint8), np.array(boxes, np.float32).reshape(-1, 5)
