"""Clinical words of screens: what must stay. By modality and language, each with its class.

Written down from memory of what scanners show, not from the product's lists.
"""

US_LABEL = {
    "en": ["LIVER SAG", "RT KIDNEY TRANS", "GALLBLADDER LONG", "SPLEEN", "CBD", "AORTA MID", "PANCREAS HEAD", "IVC", "LT OVARY", "UTERUS SAG", "THYROID RT LOBE", "CAROTID BULB", "RT CCA PROX",
           "ICA DIST", "BLADDER PRE VOID", "PLAX", "A4C", "SUBCOSTAL", "FETAL HEAD", "FEMUR", "PLACENTA ANT", "LT BREAST 3:00 4CM FN", "RT AXILLA", "ACHILLES TENDON", "SUPRASPINATUS", "CFV COMP",
           "POPLITEAL V", "GRAY SCALE", "Appendix", "Left Lobe", "Portal Vein", "Morison's Pouch", "4 Chamber", "Nuchal Translucency", "Endometrium", "Post Void"],
    "de": ["LEBER LÄNGS", "NIERE RE", "NIERE LI", "MILZ", "GALLENBLASE", "SCHILDDRÜSE RE QUER", "AORTA QUER", "PANKREAS", "HARNBLASE", "MAMMA LI", "Hüfte re", "Oberbauch", "Schulter re", "Pfortader",
           "Vierkammerblick", "Leber re. Lappen", "Prostata", "V. jugularis", "Kopf", "Plazenta", "Hoden li"],
    "fr": ["FOIE", "REIN DROIT", "REIN GAUCHE", "VESICULE", "RATE", "THYROIDE LOBE DT", "COUPE SAG", "PANCREAS", "AORTE", "VESSIE", "SEIN G", "EPAULE D", "Veine porte", "Utérus", "Lobe gauche", "COL"],
    "es": ["HIGADO", "RIÑON DERECHO", "VESICULA", "BAZO", "TIROIDES LD", "MAMA IZQ", "UTERO", "VEJIGA", "Próstata", "Vena porta"],
    "it": ["FEGATO", "RENE DX", "RENE SX", "MILZA", "COLECISTI", "TIROIDE LOBO DX", "VESCICA", "SPALLA SX", "Prostata", "UTERO", "Vena porta"],
    "pt": ["FIGADO", "RIM DIREITO", "BAÇO", "VESICULA BILIAR", "TIREOIDE", "MAMA ESQ", "BEXIGA", "Útero", "OVARIO DIR"],
    "nl": ["LEVER", "NIER RE", "NIER LI", "MILT", "GALBLAAS", "SCHILDKLIER", "BLAAS", "SCHOUDER LI", "Baarmoeder"],
}
US_MEASURE = {
    "en": ["1 Dist 1.43 cm", "+ D1 23.4 mm", "L 10.2cm", "Vol 34.5 ml", "PSV 85.3 cm/s", "EDV 22.1 cm/s", "RI 0.72", "HR 142 bpm", "GA 22w3d", "BPD 54.1 mm", "FL 3.9cm", "EFW 512 g", "AC 178 mm", "E/A 1.2",
           "LVEF 58 %", "TAPSE 21 mm", "IVSd 0.9 cm", "LVIDd 4.6 cm", "Area 3.21 cm2", "Circ 12.4 cm", "Vmax 1.8 m/s", "PGmax 13 mmHg", "NT 1.2 mm", "IMT 0.71 mm", "S/D 2.6", "PI 1.04", "CRL 45.3 mm", "AFI 12.1 cm",
           "TR Vmax 2.4 m/s", "Angle 60", "Depth 4.2 cm", "x 2.31 cm"],
    "de": ["Abstand 1,43 cm", "Fläche 3,2 cm²", "Vol. 34,5 ml", "Umfang 12,4 cm", "D1 23,4 mm", "SSW 22+3", "Länge 10,2 cm"],
    "fr": ["Surface 3,2 cm²", "Distance 14,3 mm", "Long. 10,2 cm", "DAP 21,4 mm", "SA 22+3", "Vol 34,5 ml"],
    "es": ["Dist. 14,3 mm", "Área 3,2 cm²", "Vol. 34,5 ml", "FC 72 lpm"], "it": ["Distanza 14,3 mm", "Area 3,2 cm²", "Vol 34,5 ml", "Lungh. 10,2 cm"],
    "pt": ["Dist 14,3 mm", "Área 3,2 cm²", "Vol 34,5 ml", "IG 22s3d"], "nl": ["Afstand 14,3 mm", "Opp. 3,2 cm²", "Vol 34,5 ml"],
}
US_SETTING = ["FR 49Hz", "2D", "58%", "C 50", "P Low", "HGen", "CF", "2.0MHz", "WF 86Hz", "PW", "SV4.0mm", "Gn 62", "DR 65", "Frq 5.0 MHz", "MI 0.8", "TIS 0.4", "TIB 0.6", "TIs 0.2", "AO% 100", "D 15.0 cm", "Map 3",
              "Harm", "PRF 4.0 kHz", "WF Low", "SRI II 3", "CrossXBeam", "THI", "H4.0", "R15 G2 C7 A3", "DR55", "FPS 32", "G 48", "75dB", "MI: 1.1", "TIs: 0.3", "Pwr 100%", "7.5 MHz", "PRF 1.3k", "Filter 50 Hz", "Zoom x1.5", "P 90%"]
US_PRESET = ["C5-1", "L12-5", "9L-D", "RAB6-D", "S5-1", "ML6-15", "Abd Gen", "OB Detail", "Adult Echo", "Thyroid", "Carotid", "MSK Gen", "Vasc Ven", "Small Parts", "PVT-375BT", "C1-6-D", "Pelvis", "Renal", "Gyn"]
BRAND = ["PHILIPS", "SIEMENS", "GE", "SAMSUNG", "TOSHIBA", "Mindray", "FUJIFILM", "Canon", "Esaote", "ALOKA", "HITACHI"]
SCALE = ["0", "5", "10", "15", "20", "cm", "cm/s", "+60", "-60", "mmHg", "mm", "-38.5", "38.5", "10 cm", "50 mm", "5 cm", "1", "2", "3"]

XR_LABEL = {
    "en": ["PA", "AP SUPINE", "LAT", "PORTABLE", "ERECT", "SITTING", "CHEST PA", "KNEE AP", "WEIGHT BEARING", "OBLIQUE", "LATERAL", "INSPIRATION", "PELVIS AP", "R HAND", "SPINE LAT", "FLEXION"],
    "de": ["a.p.", "seitlich", "im Stehen", "liegend", "Thorax p.a.", "BWS seitl.", "Knie re", "Becken a.p.", "Hand li", "Bettaufnahme"],
    "fr": ["FACE", "PROFIL", "DEBOUT", "COUCHE", "THORAX FACE", "GENOU D", "BASSIN FACE"], "es": ["TORAX PA", "LATERAL", "DE PIE", "RODILLA DER", "DECUBITO"], "it": ["TORACE PA", "ORTOSTASI", "BACINO AP", "GINOCCHIO DX"],
    "pt": ["TORAX PA", "PERFIL", "ORTOSTASE", "JOELHO DIR"], "nl": ["THORAX PA", "STAAND", "LIGGEND", "KNIE LINKS", "BEKKEN AP"],
}
XR_SETTING = ["W 1024 C 512", "kVp 81", "mAs 3.2", "EI 1520", "DI 0.4", "S=234 L=2.1", "Zoom 100%", "SID 180 cm", "110 kV", "2.5 mAs", "W:4096 L:2048", "DAP 1.2 dGycm2", "Grid", "TEI 400"]
SIDE = {"en": ["R", "L", "RIGHT", "LEFT", "RT", "LT"], "de": ["Re", "Li", "R", "L", "RE", "LI", "rechts", "links"], "fr": ["D", "G", "DT", "GCHE", "Droit", "Gauche"], "es": ["D", "I", "DER", "IZQ"],
        "it": ["DX", "SX", "Dx", "Sx"], "pt": ["D", "E", "DIR", "ESQ"], "nl": ["R", "L", "RE", "LI", "Links", "Rechts"]}
XA_SETTING = ["RAO 30", "CAU 20", "LAO 45", "CRA 15", "RAO 12 CRA 3", "LAO 45 / CRA 15", "15 fps", "FD 20 cm", "80 kV", "650 mA", "SID 104 cm", "FOV 25 cm", "Mask 2", "W 255 C 128", "7.5 p/s", "76 kV 8.2 ms", "Zoom 1.0", "RAO: 30.1"]
XA_LABEL = ["LCA", "RCA", "LV", "LAD", "AP", "LEFT CORONARY", "AORTIC ROOT", "RENAL ART", "DSA", "CORONARY", "LM", "LCX", "POST STENT", "BALLOON", "Roadmap"]
MG_LABEL = ["R MLO", "L CC", "RCC", "LMLO", "R CC", "L MLO", "RMLO", "LCC", "R ML", "L XCCL"]
MG_SETTING = ["29 kVp", "110 N", "52 mm", "AGD 1.4 mGy", "W/Rh", "85 mAs", "Thk 52 mm", "Force 110 N", "Mo/Mo 28 kV", "Angle 45"]
CT_SETTING = ["W 400 L 40", "WW: 350 WL: 50", "kV 120", "mA 210", "Thk 5.0 mm", "SP: -123.5", "FoV 350mm", "TR 4500 TE 98", "T2 TSE TRA", "FLAIR", "STIR COR", "DWI b1000", "Se: 4 Im: 23/64", "HFS", "T1 SE SAG", "Zoom: 1.5",
              "DFOV 38.0 cm", "5.0 mm", "TI 2500", "ET 16", "FS", "GRE", "SL 3.0", "MPR", "MIP", "C 40 W 400", "120 kV", "250 mAs", "Tilt 0.0"]
CT_LABEL = {"en": ["LUNG", "Portal venous", "Arterial phase", "CONTRAST IV", "Scout", "Sagittal", "AXIAL", "Coronal", "BRAIN", "Bone"], "de": ["KNOCHEN", "Weichteil", "nativ", "portalvenös", "Topogramm", "koronar", "Schädel"],
            "fr": ["POUMON", "CERVEAU", "Coupe axiale", "Temps portal", "OS"], "es": ["PULMON", "HUESO", "Fase arterial", "CEREBRO"], "it": ["POLMONE", "OSSO", "Fase venosa"], "pt": ["PULMAO", "Fase portal", "OSSO"], "nl": ["LONG", "BOT", "Hersenen"]}
ENDO_LABEL = ["ANTRUM", "DUODENUM", "PYLORUS", "CAECUM", "Col. ascendens", "Rectum", "FUNDUS", "Sigma", "Z-line", "NBI", "Ileum"]
ENDO_SETTING = ["CVP: A3", "Ce:3", "Eh:A5", "Cm:1", "Zm:1.0x", "x1.2", "Rec", "BLI", "Iris: AVE", "Gain 2", "WLI"]
EYE_LABEL = ["OD", "OS", "Macula Thickness", "ILM-RPE", "RNFL", "HD 5 Line Raster", "Superior", "Nasal", "Temporal", "Inferior", "Central Subfield", "Optic Disc Cube 200x200", "Macular Cube 512x128", "IR 30° ART", "Right eye", "Left eye"]
EYE_SETTING = ["Signal Strength: 8/10", "271 µm", "C/D 0.45", "IOP 16 mmHg", "ART 100", "Q: 32 dB", "Spacing 0.25 mm", "Angle 0°", "94 µm", "Volume 10.2 mm³", "512 x 128"]
DOSE = ["CTDIvol 12.4 mGy", "DLP 512.3 mGy.cm", "Phantom Body 32 cm", "Total DLP 640 mGy*cm", "Helical", "Topogram", "Effective dose 7.1 mSv", "DAP 23.4 Gycm2", "Scan range 320 mm", "kV 120 mAs 180", "AK 112 mGy", "Fluoro 4.2 min"]
SENTENCE = {
    "en": ["Liver normal in size and echotexture.", "No hydronephrosis.", "Gallbladder without stones.", "No pleural effusion.", "Normal left ventricular function.", "Spleen 10.2 cm.", "Impression: normal study."],
    "de": ["Leber von normaler Größe.", "Kein Harnstau.", "Gallenblase steinfrei.", "Kein Pleuraerguss.", "Milz 10,2 cm.", "Unauffälliger Befund."],
    "fr": ["Foie de taille normale.", "Pas d'épanchement pleural.", "Vésicule sans calcul.", "Rate homogène."], "es": ["Hígado de tamaño normal.", "Sin derrame pleural.", "Bazo de tamaño normal."],
    "it": ["Fegato di dimensioni normali.", "Assenza di versamento pleurico.", "Milza nella norma."], "pt": ["Fígado de dimensões normais.", "Sem derrame pleural.", "Baço normal."],
    "nl": ["Lever normaal van grootte.", "Geen pleuravocht.", "Milt niet vergroot."],
}

# Modality → (class, words by language or for all); a layout asks by class.
TABLE = {
    "us": {"label": US_LABEL, "measurement": US_MEASURE, "setting": US_SETTING, "preset": US_PRESET, "scale": SCALE, "laterality": SIDE, "brand": BRAND, "sentence": SENTENCE},
    "xa": {"label": XA_LABEL, "setting": XA_SETTING, "laterality": SIDE, "scale": ["R", "L", "1.0", "100%"], "brand": BRAND, "measurement": ["Stenosis 63 %", "Ref 3.1 mm", "MLD 1.12 mm", "EF 61 %", "QCA 2.8 mm"]},
    "xr": {"label": XR_LABEL, "setting": XR_SETTING, "laterality": SIDE, "scale": ["10 cm", "5 cm", "0", "1:1", "100%"], "brand": ["AGFA", "FUJIFILM", "Carestream", "KONICA MINOLTA"], "measurement": ["23.4 mm", "Cobb 14.2°", "12.5°", "L 112.3 mm", "CTR 0.48"]},
    "mg": {"label": MG_LABEL, "setting": MG_SETTING, "laterality": ["R", "L"], "scale": ["0", "1", "2", "cm"], "brand": ["HOLOGIC", "LORAD", "SIEMENS"], "measurement": ["8.4 mm", "12.1 mm x 9.3 mm"]},
    "ct": {"label": CT_LABEL, "setting": CT_SETTING, "laterality": ["R", "L", "A", "P", "H", "F", "S", "I"], "scale": ["10 cm", "5 cm", "0", "50 mm"], "brand": BRAND, "measurement": ["23.4 mm", "Mean 45.2 HU", "Area 112.4 mm2", "SD: 12.3", "Min/Max: -12/88"]},
    "endo": {"label": ENDO_LABEL, "setting": ENDO_SETTING, "laterality": ["R", "L"], "scale": ["1", "2"], "brand": ["OLYMPUS", "PENTAX", "FUJIFILM"], "measurement": ["15 mm", "32 cm"]},
    "eye": {"label": EYE_LABEL, "setting": EYE_SETTING, "laterality": ["OD", "OS"], "scale": ["0", "100", "200", "µm", "200 µm"], "brand": ["ZEISS", "TOPCON", "NIDEK"], "measurement": ["245 µm", "Disc Area 1.92 mm²", "12.3 mm"]},
    "dose": {"label": DOSE, "setting": DOSE, "measurement": DOSE, "sentence": SENTENCE, "laterality": SIDE, "brand": BRAND, "scale": ["1", "2"]},
}


def word(rng, modality, kind, lang):
    """A phrase of the class, in the language half of the time where there is one."""
    pool = TABLE[modality][kind]
    if isinstance(pool, dict):
        pool = pool[lang if lang in pool and rng.random() < 0.7 else "en"]
    return rng.choice(pool)
