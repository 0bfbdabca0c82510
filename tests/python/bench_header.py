"""CPU time of cleaning the headers of a folder of CT slices, airlock beside dcmanon.

    bench_header.py AIRLOCK DCMANON [--quick] [--profile basic|tcia ...] [--raw FILE]
    bench_header.py --draw FOLDER     only draws one slice

Draws 200 slices of 0.5 MB (invented data: 512 × 512, 12 bits stored in 16, some
110 elements with sequences, descriptions and private ones), then runs both
programs on the folder in turn, and prints medians as a table in Markdown.

CPU is user + system time of all processes: workers become children of this
process when their front has gone (prctl(2), PR_SET_CHILD_SUBREAPER), so that
none is missed. `copy` is `cp -r` on the same folder, the floor of reading and
writing. Programs take turns, so that a busy machine hits all of them. Outputs
stay until the end: where files were removed, ext4 looks long for a free inode,
and by where each output happens to lie that costs one program more than another.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

INSTANCES = 200
SIDE_PX = 512
PR_SET_CHILD_SUBREAPER = 36
OUT = "OUT"
CONFIGURATION = f"""
[project.default]
header_only = ["{CTImageStorage}"]
"""


def code(value, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def reference(number):
    item = Dataset()
    item.ReferencedSOPClassUID = CTImageStorage
    item.ReferencedSOPInstanceUID = f"2.25.20260101.9.{number}"
    return item


def slice_of(number):
    """A CT slice as a scanner writes it; ten slices are a person's series."""
    person = number // 10
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"2.25.20260101.1.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = "2.25.20260101.7"
    ct = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    ct.SpecificCharacterSet = "ISO_IR 100"
    ct.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ct.InstanceCreationDate, ct.InstanceCreationTime = "20260102", "101500.120000"
    ct.SOPClassUID, ct.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ct.StudyDate = ct.SeriesDate = ct.AcquisitionDate = ct.ContentDate = "20260102"
    ct.StudyTime, ct.SeriesTime, ct.AcquisitionTime = "101112", "101213.5", "101314.25"
    ct.ContentTime = "101415.100000"
    ct.AccessionNumber, ct.Modality, ct.Manufacturer = f"ACC{person:07}", "CT", "Exampleworks"
    ct.InstitutionName, ct.InstitutionAddress = "Invented Hospital", "7 Example Road, Nowhere"
    ct.ReferringPhysicianName, ct.StationName = "Beispiel^Ada^^Dr.", "CT-ROOM-3"
    ct.StudyDescription, ct.SeriesDescription = "CT Chest with contrast", "AXIAL 1.25 LUNG"
    ct.ProcedureCodeSequence = Sequence([code("113691", "IEC Body Dosimetry Phantom")])
    ct.InstitutionalDepartmentName = "Radiology"
    ct.PerformingPhysicianName, ct.OperatorsName = "Muster^Erik", "Probe^Ida"
    ct.ManufacturerModelName = "Revolver 64"
    ct.ReferencedStudySequence = Sequence([reference(person)])
    ct.ReferencedImageSequence = Sequence([reference(number + 1), reference(number + 2)])
    ct.PatientName, ct.PatientID = f"Invented^Person{person}", f"PID-{person:06}"
    ct.PatientBirthDate, ct.PatientSex, ct.PatientAge = "19500607", "F", "075Y"
    ct.PatientSize, ct.PatientWeight = "1.68", "71.5"
    ct.PatientAddress, ct.EthnicGroup = "12 Sample Street, Nowhere", "N"
    ct.AdditionalPatientHistory = "cough for three weeks, smoker"
    ct.PatientComments = "comes with daughter"
    ct.ContrastBolusAgent, ct.BodyPartExamined, ct.ScanOptions = "Omnipaque", "CHEST", "HELICAL MODE"
    ct.SliceThickness, ct.KVP, ct.DataCollectionDiameter = "1.25", "120", "500"
    ct.DeviceSerialNumber, ct.SoftwareVersions = "SN-482913", "gmp_vct.42"
    ct.ProtocolName, ct.ContrastBolusRoute = "5.2 Chest routine", "IV"
    ct.ReconstructionDiameter, ct.DistanceSourceToDetector = "360", "949.075"
    ct.DistanceSourceToPatient, ct.GantryDetectorTilt, ct.TableHeight = "541", "0", "151.5"
    ct.RotationDirection, ct.ExposureTime, ct.XRayTubeCurrent = "CW", "500", "320"
    ct.Exposure, ct.FilterType, ct.GeneratorPower = "160", "BODY FILTER", "38400"
    ct.FocalSpots, ct.ConvolutionKernel, ct.PatientPosition = "1.2", "LUNG", "FFS"
    ct.RevolutionTime, ct.SingleCollimationWidth, ct.TotalCollimationWidth = 0.5, 0.625, 40.0
    ct.TableSpeed, ct.SpiralPitchFactor, ct.CTDIvol = 78.75, 0.984375, 9.8
    ct.StudyInstanceUID = f"2.25.20260101.2.{person}"
    ct.SeriesInstanceUID = f"2.25.20260101.3.{person}"
    ct.FrameOfReferenceUID = f"2.25.20260101.4.{person}"
    ct.StudyID, ct.SeriesNumber, ct.AcquisitionNumber = "4711", "3", "1"
    ct.InstanceNumber = str(number % 10 + 1)
    ct.ImagePositionPatient = ["-180", "-180", f"{-1.25 * number:.2f}"]
    ct.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ct.PositionReferenceIndicator, ct.SliceLocation = "SN", f"{-1.25 * number:.2f}"
    ct.ImageComments = "thin lung"
    ct.SamplesPerPixel, ct.PhotometricInterpretation = 1, "MONOCHROME2"
    ct.Rows = ct.Columns = SIDE_PX
    ct.PixelSpacing = ["0.703125", "0.703125"]
    ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.PixelRepresentation = 16, 12, 11, 0
    ct.SmallestImagePixelValue, ct.LargestImagePixelValue = 0, 4095
    ct.WindowCenter, ct.WindowWidth = ["-600", "40"], ["1500", "400"]
    ct.RescaleIntercept, ct.RescaleSlope, ct.RescaleType = "-1024", "1", "HU"
    ct.RequestingPhysician, ct.RequestedProcedureDescription = "Beispiel^Ada", "CT CHEST W CONTRAST"
    ct.PerformedProcedureStepStartDate, ct.PerformedProcedureStepStartTime = "20260102", "101112"
    ct.PerformedProcedureStepID = f"PPS{person:06}"
    ct.PerformedProcedureStepDescription = "CT Chest with contrast"
    request = Dataset()
    request.ScheduledProcedureStepDescription = "CT Chest"
    request.ScheduledProcedureStepID, request.RequestedProcedureID = f"SPS{person:06}", "RP1"
    ct.RequestAttributesSequence = Sequence([request])
    for group, creator in [(0x0009, "EXAMPLEWORKS_IDEN_01"), (0x0019, "EXAMPLEWORKS_ACQU_01")]:
        block = ct.private_block(group, creator, create=True)
        for at in range(10):
            block.add_new(at, "LO", f"private {number} {at}")
    rows = np.arange(SIDE_PX, dtype=np.uint32)
    picture = (rows[:, None] * 7 + rows[None, :] * (number + 3)) % 4096
    noise = np.random.default_rng(number).integers(0, 64, picture.shape)
    ct.PixelData = ((picture + noise) % 4096).astype("<u2").tobytes()
    return ct


def draw(folder, instances):
    folder.mkdir(parents=True)
    for number in range(instances):
        slice_of(number).save_as(folder / f"slice{number:04}.dcm", enforce_file_format=True)


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime, used.ru_stime


def measured(command, environment):
    """Runs a program to the end of its last process: user, system, wall in ms."""
    before, begun = children(), time.perf_counter()
    program = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    complaint = program.stderr.read().decode(errors="replace")
    status = program.wait()
    wall = time.perf_counter() - begun
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass
    if status:
        sys.exit(f"{command[0]} ended with {status}: {complaint[:500]}")
    after = children()
    return [(one - other) * 1000 for one, other in zip(after, before)] + [wall * 1000]


def main():
    if sys.argv[1:2] == ["--draw"]:
        draw(Path(sys.argv[2]), 1)
        return
    arguments = argparse.ArgumentParser()
    arguments.add_argument("airlock", type=Path)
    arguments.add_argument("dcmanon", type=Path)
    arguments.add_argument("--quick", action="store_true", help="two rounds instead of seven")
    arguments.add_argument("--profile", nargs="+", default=["basic", "tcia"])
    arguments.add_argument("--raw", type=Path, help="all figures, as JSON")
    given = arguments.parse_args()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("prctl failed: processes would be missed")
    home = Path(tempfile.mkdtemp(prefix="airlock-header."))
    try:
        run(given, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def run(given, home):
    source = home / "in"
    draw(source, INSTANCES)
    (home / "airlock.toml").write_text(CONFIGURATION)
    bare = {key: value for key, value in os.environ.items() if not key.startswith("AIRLOCK")}
    programs = {
        "copy": ["cp", "-r", str(source), OUT],
        "dcmanon": [str(given.dcmanon), "anonymize", "-r", "-i", str(source), "-o", OUT],
    }
    for profile in given.profile:
        programs[f"airlock {profile}"] = [
            str(given.airlock), "deid", str(source), OUT, "--profile", profile,
            "--config", str(home / "airlock.toml"), "--data", str(home / f"data-{profile}"),
        ]  # fmt: skip
    figures = {name: [] for name in programs}
    # The first round warms caches and makes keys and tables; it does not count.
    for counted in range(3 if given.quick else 8):
        for name, command in programs.items():
            out = home / f"out-{counted}-{name.replace(' ', '-')}"
            if name == "dcmanon":
                out.mkdir()
            figure = measured([str(out) if part == OUT else part for part in command], bare)
            files = sum(1 for path in out.rglob("*") if path.is_file())
            if files != INSTANCES:
                sys.exit(f"{name}: {files} of {INSTANCES} files came out")
            if counted:
                figures[name].append(figure)
    table(figures)
    if given.raw:
        given.raw.write_text(json.dumps(figures))


def table(figures):
    medians = {
        name: [statistics.median(column) / INSTANCES for column in zip(*rows)]
        for name, rows in figures.items()
    }
    reference = sum(medians["dcmanon"][:2])
    print("| program | CPU ms per instance | user | system | instances/s | CPU by dcmanon's |")
    print("|---|---|---|---|---|---|")
    for name, (user, system, wall) in medians.items():
        cpu = user + system
        print(
            f"| {name} | {cpu:.2f} | {user:.2f} | {system:.2f} | {1000 / wall:.0f} "
            f"| {cpu / reference:.1f} × |"
        )


if __name__ == "__main__":
    main()
