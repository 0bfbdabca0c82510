"""One instance being drawn: its person, what may stand on it, and helpers to lay lines out."""
import numpy as np

from . import people, words
from .scene import DARK, Scene, Segment


class Case:
    def __init__(self, number, rng, deck):
        self.number, self.rng, self.deck = number, rng, deck
        self.noise = np.random.default_rng(rng.getrandbits(32))
        self.who = people.Person(rng, rng.choice(people.LATIN * 3 + people.MARKED))
        self.others = [people.Person(rng, rng.choice(people.LATIN)) for _ in range(2)]
        self.modality, self.layout, self.scene = "us", "", None
        self.regions, self.plan = None, {}

    def start(self, width, height, background, frames=1, colour=False, sizes=(12, 20)):
        self.scene = Scene(self.rng, width, height, background, frames, colour)
        self.scene.sizes = sizes
        return self.scene

    # What a line says.

    def fact(self, fact, label=0.35):
        text, kind, source = fact(self.rng, self.who, self.others)
        line = [segment(piece, kind, source) for piece in text.split("|")]
        if kind in people.LABELS and self.rng.random() < label:
            line.insert(0, Segment(self.rng.choice(people.LABELS[kind]), "field name", "either"))
        return line

    def dealt(self, label=0.35):
        """A fact of the class whose turn it is, so that none is rare."""
        if not self.deck:
            self.deck.extend(people.FACTS * 2)
            self.rng.shuffle(self.deck)
        return self.fact(self.deck.pop(), label)

    def word(self, kind):
        return [Segment(words.word(self.rng, self.modality, kind, self.who.lang), kind, "keep")]

    def mixed(self):
        """A line of which a part must go and a part must stay."""
        kinds = [k for k in ("label", "measurement", "setting", "laterality") if k in words.TABLE[self.modality]]
        keep, hide = self.word(self.rng.choice(kinds)), self.fact(self.rng.choice([people.name, people.name, people.id_or_date, people.doctor]), 0)
        return self.rng.choice([hide + keep, keep + hide, keep + hide + self.word(self.rng.choice(kinds))])

    def either(self):
        rng = self.rng
        return [Segment(rng.choice([self.who.time, self.who.time[:5], f"{rng.randrange(20, 89)}Y", f"{rng.randrange(20, 89)}Y {self.who.sex}", self.who.sex, "Page 1/2"]), "time, sex or age", "either")]

    def strange(self):
        return self.fact(people.strange, 0)

    def any_word(self, kinds):
        kinds = [k for k in kinds if k in words.TABLE[self.modality]]
        return self.word(self.rng.choice(kinds))

    # Where it stands.

    def put(self, x, y, line, **how):
        how.setdefault("lang", self.who.locale)
        how.setdefault("gap", self.rng.choice([1, 1, 1, 2]))
        return self.scene.line(x, y, line, **how)

    def column(self, x, y, lines, space=1.25, **how):
        """Lines one under the other in one look and typeface; where it ends."""
        how.setdefault("look", self.rng.choice(how.pop("looks", DARK)))
        size = self.rng.randint(*(how.pop("sizes", None) or self.scene.sizes))
        for line in lines:
            height = self.put(x, y, line, sizes=(size, size + 1), **how)
            y += round(max(height, size) * space)
        return y

    def scattered(self, box, lines, tries=12, **how):
        """Each line somewhere in the box where there is room."""
        for line in lines:
            for _ in range(tries):
                x, y = self.rng.randint(box[0], box[2]), self.rng.randint(box[1], box[3])
                if self.put(x, y, line, **how):
                    break

    def turn(self):
        """Mostly level, sometimes a quarter or half turn, sometimes a small tilt."""
        return self.rng.choices([0, 90, 270, 180, self.rng.choice([-1, 1]) * self.rng.uniform(3, 18)], [60, 12, 12, 8, 8])[0]


def segment(piece, kind, source):
    """What people.py's marks say of a piece of a fact."""
    if piece.startswith("="):
        return Segment(piece[1:], "field name", "either")
    if piece.startswith("@"):
        return Segment(piece[1:], "time with date", "hide", source)
    return Segment(piece, kind, "hide", source)
