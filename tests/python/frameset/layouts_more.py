"""Screens of the other modalities: endoscopy, eye, slices, reports, photographs."""
from . import backgrounds, people
from .layouts import SC
from .scene import DARK, LIGHT, OVER

ES, EYE, PHOTO, CT, MR = ("1.2.840.10008.5.1.4.1.1." + tail for tail in ("77.1.1", "77.1.5.1", "77.1.4", "2", "4"))


def endoscopy(c):
    """Panel at the left, round picture at the right."""
    c.modality = "endo"
    width, height = c.rng.choice([(720, 576), (800, 600), (1024, 768)])
    frames = c.rng.choice([1, 1, 1, 6])
    box = (int(0.3 * width), 20, width - 10, height - 20)
    c.start(width, height, backgrounds.scope(c.noise, width, height, box), frames, True, sizes=(12, 20))
    c.plan = dict(sop=ES if frames == 1 else "1.2.840.10008.5.1.4.1.1.7.4", kind=c.rng.choice(["rgb", "ybr"]), depth=8)
    lines = [c.fact(people.number, 0.4), c.fact(people.name, 0.2), c.either(), c.fact(people.born, 0), c.fact(people.date_time, 0), c.any_word(["setting"]), c.any_word(["setting"]), c.fact(people.doctor, 0), c.any_word(["label"]), c.dealt(0)]
    c.column(8, 24, lines, space=c.rng.uniform(1.2, 1.8), looks=["white", "bright", "green", "yellow", "cyan", "grey"])
    c.scattered((box[0] + 60, 60, box[2] - 180, height - 60), [c.any_word(["label"])], looks=OVER, where="over the picture")
    if c.rng.random() < 0.35:
        c.scattered((box[0] + 60, 60, box[2] - 180, height - 60), [c.mixed()], looks=OVER, where="over the picture")


def eye(c):
    """A page of an eye scanner: fundus, section, figures."""
    c.modality = "eye"
    paper, looks = c.rng.choice([(255, LIGHT), (0, DARK), (238, LIGHT)])
    c.start(1000, 700, backgrounds.eye(c.noise, 1000, 700, paper), 1, True, sizes=(11, 18))
    c.plan = dict(sop=c.rng.choice([EYE, SC]), kind=c.rng.choice(["rgb", "ybr", "palette"]), depth=8)
    c.column(20, 14, [c.fact(people.name, 0.7), c.fact(people.number, 0.7), c.fact(people.born, 0), c.dealt(0.6)], looks=looks, where="head")
    c.column(420, 14, [c.fact(people.date, 0), c.either(), c.fact(people.operator, 0), c.word("setting")], looks=looks, where="head")
    c.column(760, 14, [c.word("laterality"), c.word("label"), c.word("brand"), c.fact(people.house, 0)], looks=looks, where="head")
    c.column(20, 560, [c.word("label"), c.word("setting"), c.mixed()], looks=looks, where="foot")
    c.column(520, 500, [c.word("label"), c.word("measurement"), c.word("measurement"), c.word("scale")], looks=looks, where="results")
    c.scattered((540, 280, 900, 420), [c.word("label")], looks=OVER, where="over the picture")


def slice_capture(c):
    """Four corners over a slice, and the letters of the sides."""
    c.modality = "ct"
    side = c.rng.choice([512, 512, 768])
    c.start(side, side, backgrounds.slice_(c.noise, side, side), 1, sizes=(9, 16))
    capture = c.rng.random() < 0.5
    c.plan = dict(sop=SC if capture else c.rng.choice([CT, MR]), kind="rgb" if capture and c.rng.random() < 0.5 else "mono", depth=8 if capture else c.rng.choice([12, 16]))
    look = c.rng.choice(["white", "bright", "yellow", "grey", "cyan", "outlined"])
    c.column(4, 4, [c.fact(people.name, 0.1), c.fact(people.number, 0.2), c.dealt(), c.either()], look=look, space=1.05, where="corner")
    for y0, lines in ((4, (c.fact(people.house, 0), c.fact(people.date_time, 0), c.dealt(0))), (side - 74, (c.word("setting"), c.word("setting"), c.word("label")))):
        y = y0
        for line in lines:
            y += c.put(side - 5, y, line, look=look, right=True, where="corner")
    c.column(4, side - 80, [c.word("setting"), c.word("setting"), c.any_word(["measurement"]), c.word("setting")], look=look, space=1.05, where="corner")
    for x, y in ((8, side // 2), (side - 24, side // 2), (side // 2, 6), (side // 2, side - 24)):
        c.put(x, y, c.word("laterality"), look=look, where="side letter")
    if c.rng.random() < 0.4:
        c.scattered((120, 150, side - 250, side - 200), [c.mixed()], looks=OVER, where="over the picture")


def report(c):
    """A white page: who, what was found, by whom."""
    c.modality = "us" if c.rng.random() < 0.6 else "dose"
    width, height = c.rng.choice([(850, 1100), (800, 1000)])
    c.start(width, height, backgrounds.plain(width, height, c.rng.choice([255, 255, 236])), 1, True, sizes=(12, 17))
    c.plan = dict(sop=SC, kind=c.rng.choice(["rgb", "mono", "mono", "mono1", "ybr"]), depth=8)
    c.put(40, 20, c.fact(people.house, 0), look="black", sizes=(18, 26), where="head")
    y = c.column(40, 60, [c.fact(people.address, 0), c.fact(people.phone, 0), c.fact(people.other, 0)], look="black", where="head")
    y = c.column(40, y + 20, [c.fact(people.name, 0.9), c.fact(people.born, 0), c.fact(people.number, 0.9), c.fact(people.accession, 0.9), c.fact(people.doctor, 0), c.dealt(0.9)], look=c.rng.choice(LIGHT), where="head")
    y = c.column(40, y + 24, [c.word("sentence") for _ in range(4)] + [c.any_word(["measurement"]) for _ in range(4)] + [c.mixed()], look="black", space=1.35, where="body")
    c.column(40, y + 40, [c.fact(people.doctor, 0), c.fact(people.date_time, 0)], look="black", where="foot")
    if c.rng.random() < 0.3:
        c.put(520, 120, c.strange(), look="black", where="head")


def photograph(c):
    """A screen taken with a camera: tilted as a whole, soft, grainy, striped."""
    width, height = c.rng.choice([(900, 700), (1024, 768)])
    c.start(width, height, backgrounds.monitor(c.noise, width, height), 1, True, sizes=(14, 24))
    c.plan = dict(sop=c.rng.choice([PHOTO, SC]), kind=c.rng.choice(["rgb", "ybr"]), depth=8)
    c.scene.tilt = c.rng.choice([-1, 1]) * c.rng.uniform(1.5, 9)
    c.scene.noise, c.scene.blur = 4, c.rng.choice([0.5, 0.8])
    c.column(110, 90, [c.fact(people.name, 0.2), c.fact(people.number, 0.3), c.dealt(), c.word("setting"), c.word("setting")], looks=["white", "bright", "yellow"], where="banner")
    c.put(620, 90, c.fact(people.date_time, 0), looks=["white", "bright"], where="banner")
    c.put(600, 130, c.dealt(0), looks=["white", "grey"], where="banner")
    c.scattered((300, 200, width - 350, height - 200), [c.word("label"), c.word("measurement"), c.mixed()], looks=OVER, where="over the scan")


def specimen(c):
    """A label stuck beside a wound or on a specimen, photographed askew."""
    c.modality = "endo"
    c.start(800, 600, backgrounds.scope(c.noise, 800, 600, (300, 50, 790, 560)), 1, True, sizes=(13, 20))
    c.plan = dict(sop=PHOTO, kind=c.rng.choice(["rgb", "ybr"]), depth=8)
    c.scene.noise, c.scene.tilt = 3, c.rng.choice([-1, 1]) * c.rng.uniform(4, 24)
    y = 200
    for line in (c.fact(people.name, 0.3), c.fact(people.born, 0), c.fact(people.number, 0.3), c.dealt(0), c.word("measurement")):
        c.put(40, y, line, look="inverse", where="sticker")
        y += 30


def turned(c):
    """A secondary capture with text in every direction and nothing else."""
    c.start(700, 700, backgrounds.plain(700, 700, c.rng.choice([0, 0, 30, 245])), 1, False, sizes=(10, 30))
    c.plan = dict(sop=SC, kind=c.rng.choice(["mono", "mono1", "rgb"]), depth=c.rng.choice([8, 8, 16]))
    light = c.scene.light(10, 10, (50, 50), 0)
    for _ in range(c.rng.randint(6, 9)):
        c.scattered((10, 10, 640, 640), [c.rng.choice([c.dealt, c.dealt, c.mixed, lambda: c.any_word(["label", "measurement", "laterality"]), c.strange if c.rng.random() < 0.4 else c.dealt])()], rot=c.turn(), looks=LIGHT if light else DARK, where="free")
