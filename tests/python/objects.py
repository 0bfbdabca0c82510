"""Builds DICOM objects of kinds that no test file is at hand of.

    objects.py KIND FILE [NAME=VALUE...]

Everything in them is invented. NAME=VALUE sets a text element of the main
level by its keyword, after the object is made; REFERENCES=UID,UID names what a
key object selects; CODE=... is its title.
"""

import sys
import warnings

import numpy
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

warnings.filterwarnings("ignore")

ROOT = "1.2.840.10008.5.1.4.1.1"
PDF = b"%PDF-1.4\n% report of Invented^Person0\n%%EOF"


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def base(sop_class, modality, number="1"):
    """An object of patient 0 of the other tests, in a series of its own."""
    set_ = Dataset()
    set_.SOPClassUID = f"{ROOT}.{sop_class}"
    set_.SOPInstanceUID = f"2.25.20260101.7.{number}"
    set_.StudyDate, set_.StudyTime = "20260102", "101112"
    set_.ContentDate, set_.ContentTime = "20260102", "101112"
    set_.SeriesDate = "20260102"
    set_.AccessionNumber = "ACC0000000"
    set_.Modality = modality
    set_.Manufacturer = "Acme"
    set_.ReferringPhysicianName = "Beispiel^Ada"
    set_.InstitutionName = "Invented Hospital"
    set_.PatientName = "Invented^Person0"
    set_.PatientID = "PID-000000"
    set_.PatientBirthDate, set_.PatientSex = "19500607", "O"
    set_.StudyInstanceUID = "2.25.20260101.2.0"
    set_.SeriesInstanceUID = f"2.25.20260101.8.{number}"
    set_.StudyID, set_.SeriesNumber, set_.InstanceNumber = "1", "7", "1"
    return set_


def document(sop_class, mime_type, content):
    set_ = base(sop_class, "DOC" if sop_class in ("104.1", "104.2") else "M3D")
    set_.ConversionType = "WSD"
    set_.BurnedInAnnotation = "YES"
    set_.RecognizableVisualFeatures = "NO"
    set_.AcquisitionDateTime = "20260102101112"
    set_.DocumentTitle = "Report of Invented^Person0"
    set_.ConceptNameCodeSequence = code("18782-3", "LN", "Study report")
    set_.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    set_.EncapsulatedDocumentLength = len(content)
    set_.MIMETypeOfEncapsulatedDocument = mime_type
    if sop_class == "104.2":
        set_.HL7InstanceIdentifier = "2.25.77^Person0"
        set_.ListOfMIMETypes = ["image/jpeg", "text/XML"]
    else:
        device = Dataset()
        device.Manufacturer, device.ManufacturerModelName = "Acme", "One"
        device.DeviceSerialNumber, device.SoftwareVersions = "SN-0000001", "1"
        device.PurposeOfReferenceCodeSequence = code("109103", "DCM", "Modifying Equipment")
        set_.ContributingEquipmentSequence = Sequence([device])
    if sop_class in ("104.3", "104.4", "104.5"):
        set_.FrameOfReferenceUID = "2.25.20260101.9"
        set_.PositionReferenceIndicator = ""
        set_.DeviceSerialNumber, set_.ManufacturerModelName = "SN-0000001", "One"
        set_.SoftwareVersions = "1"
        set_.MeasurementUnitsCodeSequence = code("mm", "UCUM", "mm")
        set_.ModelModification = set_.ModelMirroring = "NO"
        set_.ModelUsageCodeSequence = code("129013", "DCM", "Planning Intent")
    return set_


def waveform(sop_class, modality, hertz, source, interpretation="SS"):
    set_ = base(sop_class, modality)
    set_.AcquisitionDateTime = "20260102101112"
    set_.AcquisitionContextSequence = Sequence()
    channel = Dataset()
    channel.ChannelLabel = "Person0 lead"
    channel.ChannelSourceSequence = code(*source)
    channel.ChannelSensitivity, channel.ChannelBaseline = "1", "0"
    channel.ChannelSensitivityUnitsSequence = code("uV", "UCUM", "microvolt")
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelSampleSkew, channel.WaveformBitsStored = "0", 16
    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = 1, 64
    group.SamplingFrequency = hertz
    group.ChannelDefinitionSequence = Sequence([channel])
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, interpretation
    group.WaveformData = numpy.arange(64, dtype="<i2").tobytes()
    set_.WaveformSequence = Sequence([group])
    note = Dataset()
    note.UnformattedTextValue = "Invented, Person0 with chest pain"
    note.ReferencedWaveformChannels = [1, 1]
    note.AnnotationGroupNumber = 1
    set_.WaveformAnnotationSequence = Sequence([note])
    return set_


def key_object(title, references):
    set_ = base("88.59", "KO", "59")
    names = {
        "113000": "Of Interest",
        "113001": "Rejected for Quality Reasons",
        "113037": "Rejected for Patient Safety Reasons",
        "113038": "Incorrect Modality Worklist Entry",
        "113039": "Data Retention Policy Expired",
    }
    set_.ReferencedPerformedProcedureStepSequence = Sequence()
    set_.ValueType, set_.ContinuityOfContent = "CONTAINER", "SEPARATE"
    set_.ConceptNameCodeSequence = code(title, "DCM", names[title])
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2010"
    set_.ContentTemplateSequence = Sequence([template])

    def sop(uid):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = f"{ROOT}.2", uid
        return item

    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID = "2.25.20260101.3.0"
    series.ReferencedSOPSequence = Sequence([sop(uid) for uid in references])
    study.StudyInstanceUID = set_.StudyInstanceUID
    study.ReferencedSeriesSequence = Sequence([series])
    set_.CurrentRequestedProcedureEvidenceSequence = Sequence([study])
    content = []
    for uid in references:
        item = Dataset()
        item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
        item.ReferencedSOPSequence = Sequence([sop(uid)])
        content.append(item)
    set_.ContentSequence = Sequence(content)
    return set_


def picture(sop_class, modality):
    set_ = base(sop_class, modality)
    set_.ImageType = ["ORIGINAL", "PRIMARY"]
    set_.PatientOrientation = ""
    set_.AcquisitionContextSequence = Sequence()
    set_.SamplesPerPixel, set_.PhotometricInterpretation = 3, "RGB"
    set_.PlanarConfiguration = 0
    set_.Rows = set_.Columns = 32
    set_.BitsAllocated = set_.BitsStored = 8
    set_.HighBit, set_.PixelRepresentation = 7, 0
    set_.LossyImageCompression = "00"
    set_.PixelData = bytes(32 * 32 * 3)
    set_["PixelData"].VR = "OB"
    return set_


def signed(set_):
    """Signatures, former values, encrypted values, an icon."""
    parameters = Dataset()
    parameters.MACIDNumber, parameters.MACAlgorithm = 1, "SHA256"
    parameters.MACCalculationTransferSyntaxUID = ExplicitVRLittleEndian
    parameters.DataElementsSigned = [0x00100010]
    set_.MACParametersSequence = Sequence([parameters])
    signature = Dataset()
    signature.MACIDNumber, signature.DigitalSignatureUID = 1, "2.25.20260101.66"
    signature.DigitalSignatureDateTime = "20260102101112"
    signature.CertificateType, signature.Signature = "X509_1993_SIG", b"Invented^Person0"
    signature.CertificateOfSigner = b"Invented^Person0"
    set_.DigitalSignaturesSequence = Sequence([signature])
    former = Dataset()
    former.PatientName, former.PatientID = "Former^Person0", "PID-FORMER"
    original = Dataset()
    original.SourceOfPreviousValues, original.ModifyingSystem = "Invented Hospital", "PACS"
    original.AttributeModificationDateTime = "20260102101112"
    original.ReasonForTheAttributeModification = "CORRECT"
    original.ModifiedAttributesSequence = Sequence([former])
    set_.OriginalAttributesSequence = Sequence([original])
    encrypted = Dataset()
    encrypted.EncryptedContentTransferSyntaxUID = ExplicitVRLittleEndian
    encrypted.EncryptedContent = b"Invented^Person0"
    set_.EncryptedAttributesSequence = Sequence([encrypted])
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.Rows = icon.Columns = 8
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation = 7, 0
    icon.PixelData = bytes(64)
    icon["PixelData"].VR = "OB"
    set_.IconImageSequence = Sequence([icon])
    return set_


def make(kind, options):
    lead = ("2:1", "MDC", "Lead I")
    kinds = {
        "pdf": lambda: document("104.1", "application/pdf", PDF),
        "cda": lambda: document("104.2", "text/XML", b"<x>Invented^Person0</x>"),
        "stl": lambda: document("104.3", "model/stl", b"Invented^Person0" + bytes(100)),
        "obj": lambda: document("104.4", "model/obj", b"# Invented^Person0\n"),
        "mtl": lambda: document("104.5", "model/mtl", b"# Invented^Person0\n"),
        "ecg": lambda: waveform("9.1.2", "ECG", "500", lead),
        "voice": lambda: waveform("9.4.1", "AU", "8000", ("109110", "DCM", "Voice"), "UB"),
        "voice-in-ecg": lambda: waveform("9.1.2", "ECG", "500", ("109110", "DCM", "Voice")),
        "fast-ecg": lambda: waveform("9.1.2", "ECG", "8000", lead),
        "photograph": lambda: picture("77.1.4", "XC"),
        "signed": lambda: signed(picture("7", "OT")),
        "key-object": lambda: key_object(
            options.pop("CODE", "113001"), options.pop("REFERENCES", "").split(",")
        ),
    }
    return kinds[kind]()


def main():
    kind, path, *pairs = sys.argv[1:]
    options = dict(pair.split("=", 1) for pair in pairs)
    set_ = make(kind, options)
    for keyword, value in options.items():
        setattr(set_, keyword, value)
    set_.file_meta = FileMetaDataset()
    set_.file_meta.MediaStorageSOPClassUID = set_.SOPClassUID
    set_.file_meta.MediaStorageSOPInstanceUID = set_.SOPInstanceUID
    set_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    set_.save_as(path, enforce_file_format=True)


main()
