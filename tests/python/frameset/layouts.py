"""Screens after the styles of several vendors: where each puts what. Ultrasound and X-ray.

Each function draws on a Case: a scene with lines, the modality for its words, and
how it is to be stored (`plan`: SOP class, colour or grey, depth).
"""
from . import backgrounds, people
from .scene import DARK, OVER, Segment

US, USMF, SC, XA, CR, DX, MG = ("1.2.840.10008.5.1.4.1.1." + tail for tail in ("6.1", "3.1", "7", "12.1", "1", "1.2", "1.2"))
CINE = 0.1                             # share of layouts with frames that become short cines


def scan(c, size, box, frames=1, **how):
    """A scene with a fan in box, and the region that a header may say."""
    width, height = size
    c.start(width, height, backgrounds.sector(c.noise, width, height, box, c.rng.random() < 0.7), frames, c.rng.random() < 0.5, **how)
    c.regions = box
    c.plan = dict(sop=USMF if frames > 1 else c.rng.choice([US, US, US, SC]), kind=c.rng.choice(["mono", "rgb", "ybr", "palette", "rgb"]), depth=8)


def scan_words(c, box, count):
    """What the operator and the machine write over the scan."""
    x0, y0, x1, y1 = box
    lines = [c.any_word(["label", "label", "laterality", "measurement"]) for _ in range(count)]
    if c.rng.random() < 0.5:
        lines.append(c.mixed())
    if c.rng.random() < 0.3:
        lines.append(c.dealt(0.1))
    for line in lines:
        c.scattered((x0 + 20, y0 + 20, x1 - 120, y1 - 30), [line], looks=OVER, where="over the scan", sizes=(12, 26), rot=c.rng.choice([0] * 9 + [90, c.rng.uniform(-10, 10)]))


def ruler(c, x, y0, y1, look):
    """Depth marks with figures at the edge of the scan."""
    for k, y in enumerate(range(y0, y1, max(24, (y1 - y0) // 7))):
        c.scene.fill(x, y, 6, 1, (200, 200, 200))
        if k % 2 == 0:
            c.put(x + 9, y - 7, c.word("scale"), look=look, sizes=(10, 13), where="scale")


def us_top(c, frames=1):
    """A banner on top: house on the left, person in the middle, day on the right; settings at the left."""
    box = (170, 90, 700, 560)
    scan(c, c.rng.choice([(800, 600), (960, 720), (1024, 768)]), box, frames)
    look, size = c.rng.choice(DARK), (c.rng.randint(11, 20),) * 2
    w = c.scene.width
    c.put(8, 5, c.fact(people.house, 0), look=look, sizes=size)
    c.put(w // 3, 5, c.fact(people.name, 0.2), look=look, sizes=size)
    c.put(w - 8, 5, c.fact(people.date_time, 0), look=look, sizes=size, right=True)
    c.put(w // 3, 8 + int(size[0] * 1.5), c.fact(people.number), look=look, sizes=size)
    c.put(w - 8, 8 + int(size[0] * 1.5), c.any_word(["setting"]), look=look, sizes=size, right=True)
    c.put(8, 8 + int(size[0] * 1.5), c.rng.choice([c.dealt, c.dealt, c.either])(), look=look, sizes=size)
    c.column(8, 110, [c.any_word(["setting", "setting", "preset"]) for _ in range(c.rng.randint(4, 8))], sizes=(10, 16), where="settings")
    ruler(c, 715, 100, 560, "grey")
    scan_words(c, box, c.rng.randint(1, 3))
    c.scattered((w - 220, c.scene.height - 120, w - 90, c.scene.height - 30), [c.word("measurement"), c.word("measurement")], sizes=(11, 17), where="results")
    if c.rng.random() < 0.5:
        c.put(8, c.scene.height - 30, c.word("brand"), where="corner")


def us_left(c, frames=1):
    """All text in a panel at the left."""
    box = (260, 40, 760, 560)
    scan(c, c.rng.choice([(800, 600), (1024, 768)]), box, frames)
    lines = [c.fact(people.name, 0.4), c.fact(people.number, 0.5), c.dealt(), c.fact(people.born, 0), c.either(), c.dealt(), c.any_word(["preset"]), c.any_word(["setting"]), c.any_word(["setting"]), c.any_word(["setting"])]
    if c.rng.random() < 0.12:
        lines.insert(2, c.strange())
    c.column(6, 14, lines, sizes=(10, 18), space=c.rng.uniform(1.2, 1.9))
    ruler(c, 770, 50, 560, "white")
    scan_words(c, box, c.rng.randint(1, 4))


def us_right(c, frames=1):
    """A panel at the right; the house in a line at the foot."""
    box = (20, 50, 520, 520)
    scan(c, c.rng.choice([(768, 576), (800, 600), (720, 576)]), box, frames)
    lines = [c.word("brand"), c.fact(people.date, 0), c.either(), c.fact(people.name, 0.1), c.dealt(), *[c.any_word(["setting", "setting", "preset"]) for _ in range(6)], c.dealt()]
    c.column(560, 12, lines, sizes=(11, 16), space=c.rng.uniform(1.2, 1.7))
    c.put(20, c.scene.height - 32, c.fact(people.house, 0), where="foot")
    scan_words(c, box, c.rng.randint(1, 3))


def us_bar(c, frames=1):
    """A light or coloured bar across the top or the foot."""
    box = (120, 80, 680, 540)
    scan(c, (800, 600), box, frames)
    colour, look = c.rng.choice([((150, 152, 150), "black"), ((20, 50, 150), "white"), ((70, 85, 100), "bright"), ((205, 210, 215), "ink"), ((60, 60, 60), "grey")])
    y = c.rng.choice([0, 0, 552])
    c.scene.fill(0, y, 800, 48, colour)
    size = (c.rng.randint(12, 17),) * 2
    for x, row, line in ((8, 0, c.fact(people.name, 0.2)), (330, 0, c.fact(people.house, 0)), (640, 0, c.dealt(0.1)), (8, 1, c.fact(people.number, 0.3)), (330, 1, c.dealt()), (640, 1, c.any_word(["setting"]))):
        c.put(x, y + 2 + row * 22, line, look=look, sizes=size, where="bar")
    c.column(6, 100, [c.any_word(["setting", "setting", "preset"]) for _ in range(c.rng.randint(3, 7))], sizes=(10, 15), where="settings")
    ruler(c, 700, 90, 540, "grey")
    scan_words(c, box, c.rng.randint(1, 3))


def us_sheet(c, frames=1):
    """A page of results: names of measures, values, and the person above."""
    c.start(800, 600, backgrounds.plain(800, 600, c.rng.choice([0, 12, (10, 20, 50)])), 1, True)
    c.plan = dict(sop=US, kind=c.rng.choice(["rgb", "mono", "palette"]), depth=8)
    look = c.rng.choice(["white", "bright", "yellow", "cyan"])
    c.column(20, 14, [c.fact(people.name, 0.8), c.fact(people.born, 0), c.dealt(0.8), c.fact(people.doctor, 0)], look=look, sizes=(13, 18), where="head")
    for column in range(2):
        c.column(20 + column * 390, 200, [c.any_word(["measurement", "measurement", "label"]) for _ in range(c.rng.randint(6, 10))], look=look, sizes=(13, 18), where="results")
    c.put(20, 560, c.mixed(), look=look, where="foot")


def moving(c):
    """A cine with a static banner, a name on one frame or typed over the scan, and text that wanders."""
    frames = c.rng.randint(6, 10)
    box = (110, 70, 560, 440)
    scan(c, (640, 480), box, frames)
    c.put(8, 6, c.fact(people.name, 0.1), where="banner")
    c.put(632, 6, c.rng.choice([c.fact(people.date_time, 0), c.dealt(0)]), right=True, where="banner")
    c.column(6, 80, [c.any_word(["setting"]) for _ in range(4)], sizes=(10, 14), where="settings")
    what = c.rng.choice(["one frame", "typed over", "wanders", "late"])
    k = c.rng.randrange(1, frames)
    line = c.fact(people.name, 0) if c.rng.random() < 0.6 else c.dealt(0)
    if what == "one frame":
        c.put(c.rng.randint(120, 300), c.rng.randint(40, 420), line, frames=(k, k + 1), sizes=(14, 24), looks=OVER, where="one frame")
    elif what == "typed over":
        c.put(c.rng.randint(150, 300), c.rng.randint(150, 400), line, frames=(k, frames), sizes=(14, 24), looks=OVER, where="typed over, from a frame on")
    elif what == "late":
        c.put(8, 450, line, frames=(k, frames), where="banner, from a frame on")
    else:
        x, y, look, size = c.rng.randint(120, 200), c.rng.randint(100, 300), c.rng.choice(["white", "yellow", "outlined"]), (c.rng.randint(14, 22),) * 2
        style = c.rng.choice(["screen", "bitmap", "mono"])
        for n in range(frames):
            c.put(x + 9 * n, y + 5 * n, line, frames=(n, n + 1), look=look, sizes=size, style=style, where="wanders", free=True)
    scan_words(c, box, 2)
    for n in range(frames):
        c.put(560, 455, [Segment(f"{n + 1}/{frames}", "scale", "keep")], frames=(n, n + 1), look="white", sizes=(12, 12), style="mono", where="frame counter", free=True)


def xa(c):
    """Four corners over an angiogram."""
    frames = c.rng.choice([1, 1, 6, 8])
    side = c.rng.choice([512, 768, 512])
    c.modality = "xa"
    c.start(side, side, backgrounds.angiogram(c.noise, side, side), frames, sizes=(11, 18))
    c.plan = dict(sop=XA, kind=c.rng.choice(["mono", "mono", "mono1"]), depth=c.rng.choice([8, 8, 12]))
    c.scene.noise = c.rng.choice([0, 2])
    look = c.rng.choice(["white", "white", "bright", "yellow", "outlined"]) if c.rng.random() < 0.6 else "black"
    m = int(0.055 * side) if look == "black" else 6
    c.column(m, m, [c.fact(people.name, 0.2), c.fact(people.number, 0.3), c.dealt()], look=look, where="corner")
    y = m
    for line in (c.fact(people.house, 0), c.fact(people.date_time, 0)):
        y += c.put(side - m, y, line, look=look, right=True, where="corner") + 2
    c.column(m, side - m - 90, [c.word("setting"), c.word("setting"), c.word("label")], look=look, where="corner")
    y = side - m - 90
    for line in (c.word("setting"), c.either(), c.any_word(["measurement", "laterality"])):
        y += c.put(side - m, y, line, look=look, right=True, where="corner") + 4
    if c.rng.random() < 0.4:
        c.scattered((100, 150, side - 200, side - 200), [c.mixed()], looks=OVER, where="over the picture")


def fluoroscopy(c):
    """A mini C-arm: a round picture, text above and below, some of it turned over."""
    c.modality = "xa"
    c.start(600, 700, backgrounds.slice_(c.noise, 600, 700), 1, sizes=(12, 20))
    c.plan = dict(sop=c.rng.choice(["1.2.840.10008.5.1.4.1.1.12.2", SC]), kind="mono", depth=8)
    turn = c.rng.choice([0, 0, 180])
    c.column(10, 8, [c.fact(people.name, 0.4), c.dealt()], rot=turn, where="corner")
    c.column(10, 630, [c.dealt(), c.word("setting")], rot=turn, where="corner")
    c.scattered((300, 8, 560, 60), [c.word("setting"), c.either()], rot=turn, where="corner")
    c.scattered((380, 610, 560, 660), [c.any_word(["laterality", "label"]), c.fact(people.doctor, 0)], rot=turn, where="corner")
    c.scattered((5, 100, 30, 400), [c.dealt(0)], rot=90, where="edge")


def film(c, large=False):
    """A film with what a CR reader burns in: side, view, person, exposure; in places turned."""
    c.modality = "xr"
    width, height = (c.rng.choice([(2000, 2400), (2048, 2500), (2430, 1994), (3000, 2400)]) if large else c.rng.choice([(1024, 1240), (900, 1100), (1200, 980)]))
    c.start(width, height, backgrounds.film(c.noise, width, height, c.rng.choice(["chest", "limb"])), sizes=(8, 12) if large else (9, 22))
    c.plan = dict(sop=c.rng.choice([CR, DX]), kind=c.rng.choice(["mono", "mono1"]), depth=c.rng.choice([12, 12, 16, 10]), large=large)
    turn = c.rng.choice([0, 0, 0, 90, 270, 180])
    corners = [(12, 12), (width - 420, 12), (12, height - 110), (width - 420, height - 110)] if turn in (0, 180) else [(12, 12), (width - 120, 12), (12, height - 420), (width - 120, height - 420)]
    c.rng.shuffle(corners)
    blocks = [[c.fact(people.name, 0.2), c.fact(people.number, 0.2), c.dealt()], [c.fact(people.house, 0), c.fact(people.date_time, 0)], [c.word("setting"), c.word("setting"), c.mixed()], [c.word("label"), c.either(), c.fact(people.operator, 0)]]
    for (x, y), block in zip(corners, blocks):
        look = c.rng.choice(DARK)
        if turn in (0, 180):
            c.column(x, y, block, look=look, rot=turn, where="corner")
        else:
            for k, line in enumerate(block):
                c.put(x + 32 * k, y, line, look=look, rot=turn, where="corner")
    c.scattered((width // 5, height // 6, width * 4 // 5, height * 3 // 4), [c.word("laterality"), c.word("measurement")], looks=OVER, sizes=(16, 40), where="over the picture")
    c.scattered((20, height // 3, 60, height // 2), [c.word("scale")], where="edge")


def large_film(c):
    film(c, True)


def breast(c, large=False):
    """A mammogram: view and side large, a stamp in small letters."""
    c.modality = "mg"
    width, height = (1900, 2400) if large else c.rng.choice([(900, 1150), (800, 1000)])
    c.start(width, height, backgrounds.film(c.noise, width, height, "breast"), sizes=(9, 16))
    c.plan = dict(sop="1.2.840.10008.5.1.4.1.1.1.2", kind=c.rng.choice(["mono", "mono1"]), depth=c.rng.choice([12, 14]), large=large)
    c.put(width - 20, 20, c.word("label"), sizes=(24, 36), right=True, look="white", where="view")
    y = 120
    for line in (c.fact(people.house, 0), c.fact(people.name, 0.2), c.fact(people.number, 0.3), c.fact(people.date_time, 0), c.dealt(), c.fact(people.operator, 0), c.word("setting"), c.word("setting"), c.word("setting")):
        y += c.put(width - 16, y, line, right=True, look=c.rng.choice(["white", "bright", "grey", "low"]), where="stamp") + 4
    c.put(int(0.3 * width), int(0.5 * height), c.word("measurement"), looks=OVER, where="over the picture")
    c.scattered((width - 60, height // 2, width - 40, height - 300), [c.dealt(0)], rot=c.rng.choice([90, 270]), where="edge")
