"""Style A: words of English-speaking and European clinics; names that are ordinary words."""

# locale: (character sets, families, givens, streets, cities, hospitals, doctors, third persons)
LOCALES = {
    "en_US": (["ISO_IR 100", ""], ["Young", "Hill", "Rose", "Stone", "Wells"], ["Grace", "Mark", "Will", "Summer", "Dawn"],
              "{n} Orchard Bend Rd", ["Millhaven", "Port Ansel"], ["Ridgeline Medical Center", "Saint Odile Hospital"],
              ["Okafor", "Lindqvist", "Branch", "Pike"], ["Tabitha Crane", "Leroy Vance", "Wanda Pell"]),
    "en_GB": (["ISO_IR 192", "ISO_IR 100"], ["Ashworth-Price", "O'Driscoll", "MacInnes", "St. Clair"], ["Fiona", "Alasdair", "Imogen"],
              "{n} Thistle Mews", ["Wexcombe", "Harrowby"], ["Queen Maud Infirmary"], ["Featherstonehaugh", "Dunmore"],
              ["Barnaby Quill", "Morwenna Tregear"]),
    "de_DE": (["ISO_IR 100", "ISO_IR 192"], ["Müllerschön", "von der Heide", "Groß", "Jäger-Weiß"], ["Jürgen", "Käthe", "Björn"],
              "Lindenstraße {n}", ["Oberwinkel", "Grünau"], ["Klinikum Sonnenfels", "St. Ansgar Krankenhaus"], ["Überreiter", "Fassbinder"],
              ["Heinz Kaltenbrunn", "Ulrike Sommerfeld"]),
    "fr_FR": (["ISO_IR 100"], ["Lefèvre", "de la Tour", "D'Aubigné", "Bérenger"], ["Anaïs", "Jean-Baptiste", "Zoé"],
              "{n} rue des Tilleuls", ["Saint-Brévin", "Montclair"], ["Clinique du Parc Vert", "CHU Saint-Roch"], ["Pélissier", "Grandjean"],
              ["Solange Bruyère", "Thibault Carpentier"]),
    "es_MX": (["ISO_IR 100"], ["Núñez Cárdenas", "de los Santos", "Ibáñez", "Peña"], ["Íñigo", "María José", "Belén"],
              "Calle Jacarandas {n}", ["Valdehoyos", "Tlalmira"], ["Hospital Virgen del Llano"], ["Quiñones", "Echeverría"],
              ["Socorro Bustamante", "Efraín Zúñiga"]),
    "it_IT": (["ISO_IR 100"], ["D'Agostino", "Della Rovere", "Bevilacqua"], ["Niccolò", "Chiara", "Ludovica"],
              "Via dei Mughetti {n}", ["Montefalco Alto", "Serravecchia"], ["Ospedale Santa Brigida"], ["Pantaleoni", "Scognamiglio"],
              ["Assunta Gallorini", "Ruggero Battaglini"]),
    "pt_BR": (["ISO_IR 100"], ["Conceição", "dos Anjos", "Guimarães"], ["João", "Inês", "Tainá"],
              "Rua das Acácias {n}", ["Vila Serena", "Pedra Alta"], ["Hospital São Tomé"], ["Figueirôa", "Assunção"], ["Dulce Mourão", "Caio Brandão"]),
    "nl_NL": (["ISO_IR 100"], ["van den Berg", "de Groot-Visser", "ter Horst"], ["Sjoerd", "Maaike", "Femke"],
              "Kastanjelaan {n}", ["Zuiderveen", "Oostdorp"], ["Sint Willebrord Ziekenhuis"], ["van Rijswijk", "Hoekstra"], ["Geertruida Bakhuis", "Wim Dekkers"]),
    "pl_PL": (["ISO_IR 101"], ["Łukaszewicz", "Wiśniewska", "Gżegżółka"], ["Małgorzata", "Paweł", "Żaneta"],
              "ul. Bukowa {n}", ["Nowowola", "Zagórze"], ["Szpital Świętej Jadwigi"], ["Brzęczyk", "Dąbrowska"], ["Halina Sójka", "Zbigniew Kruk"]),
    "tr_TR": (["ISO_IR 148"], ["Yıldırım", "Öztürkoğlu", "Şahinbaş"], ["Gülşen", "İbrahim", "Çağla"],
              "Çınar Sokak {n}", ["Yeşilova", "Karapınar"], ["Güneş Tıp Merkezi"], ["Kılıçaslan", "Erdoğdu"], ["Hatice Bozkır", "Kemal Tuncay"]),
    "vi_VN": (["ISO_IR 192"], ["Nguyễn", "Đặng", "Trương"], ["Thị Mai", "Văn Long", "Thu An"],
              "{n} Đường Hoa Sen", ["Phú Lâm", "Tân Hòa"], ["Bệnh viện Hòa Bình"], ["Phạm", "Huỳnh"], ["Lê Thị Hồng", "Bùi Quang"]),
    "hi_IN": (["", "ISO_IR 6"], ["Venkataraman", "Chatterjee", "Deshpande"], ["Lakshmi", "Arjun", "Padmavathi"],
              "{n} Gulmohar Marg", ["Rampuram", "Shantinagar"], ["Arogya Nidhi Hospital"], ["Subramaniam", "Iyer"], ["Kamala Bhattacharya", "Ravi Mistry"]),
    "ar_EG": (["ISO_IR 127"], ["الشريف", "المنصوري"], ["ليلى", "يوسف"], "{n} Nile Corniche", ["Madinat Salam"], ["Dar Al Shifa Clinic"],
              ["Abdelrahman", "El-Masry"], ["Umm Kulthum Hassan", "Tarek Fouad"]),
    "ar_latn": (["ISO_IR 6", ""], ["Al-Zahrani", "Bin Saleh", "El Haddad"], ["Abdulaziz", "Noura", "Fatimah"],
                "{n} Palm Grove St", ["Wadi Noor"], ["Al Amal Medical City"], ["Al-Qahtani"], ["Huda Al Otaibi", "Samir Khoury"]),
    "zh_CN": (["GB18030"], ["歐陽", "王", "諸葛"], ["小明", "美玲", "建國"], "{n} Peony Lane", ["Qingshan"], ["Jiankang People's Hospital"],
              ["Ouyang", "Xu"], ["Lihua Zhao", "Guoqiang Sun"]),
    "ja_JP": (["\\ISO 2022 IR 87"], ["高橋", "長谷川"], ["健太", "美咲"], "{n} Sakura-dori", ["Higashimachi"], ["Midorigaoka Hospital"],
              ["Kobayashi", "Ishikawa"], ["Yoko Matsuda", "Kenji Ohno"]),
    "ko_KR": (["\\ISO 2022 IR 149"], ["남궁", "박"], ["지훈", "서연"], "{n} Mugunghwa-ro", ["Haneul-dong"], ["Saebyeok Hospital"],
              ["Hwang", "Seo"], ["Minji Kwon", "Dongwook Bae"]),
    "ru_RU": (["ISO_IR 144"], ["Воробьёва", "Щербаков"], ["Наталья", "Фёдор"], "ул. Берёзовая {n}", ["Заречный"], ["Больница Святого Луки"],
              ["Лебедев", "Кузнецова"], ["Тамара Ильина", "Глеб Орлов"]),
    "el_GR": (["ISO_IR 126"], ["Παπαδοπούλου", "Οικονόμου"], ["Ελένη", "Γιώργος"], "Οδός Ελιάς {n}", ["Άνω Πόλη"], ["Νοσοκομείο Άγιος Λουκάς"],
              ["Καραγιάννης", "Δημητρίου"], ["Σοφία Μακρή", "Νίκος Ράπτης"]),
    "he_IL": (["ISO_IR 138"], ["אברהמי", "בן דוד"], ["שירה", "יונתן"], "{n} HaZayit St", ["Kfar Alon"], ["Shaar Marpe Hospital"],
              ["Rosenthal", "Mizrahi"], ["Tzipora Gal", "Eitan Peled"]),
}
LATIN = {"歐陽": "Ouyang", "王": "Wang", "諸葛": "Zhuge", "小明": "Xiaoming", "美玲": "Meiling", "建國": "Jianguo", "高橋": "Takahashi", "長谷川": "Hasegawa",
         "健太": "Kenta", "美咲": "Misaki", "남궁": "Namgung", "박": "Park", "지훈": "Jihoon", "서연": "Seoyeon"}
KANA = {"高橋": "たかはし", "長谷川": "はせがわ", "健太": "けんた", "美咲": "みさき"}
EXTRA = ["en_US", "en_US", "en_GB", "de_DE"]            # locales that come more than once

STUDY = {
    "CT": ["CT CHEST PE PROTOCOL", "CT ABD/PELVIS W CONTRAST", "CT UROGRAM 3 PHASE", "LOW DOSE LUNG SCREENING", "CT AORTA DISSECTION"],
    "MR": ["MRI LUMBAR SPINE W/O", "MR KNEE LT - BAKER CYST", "MRI LIVER DYNAMIC", "MR SHOULDER HILL SACHS", "MR ENTEROGRAPHY CROHN DISEASE"],
    "US": ["US GALLBLADDER MURPHY SIGN", "US THYROID HASHIMOTO", "RENAL DOPPLER", "US CAROTID DUPLEX", "OB US 2ND TRIMESTER"],
    "CR": ["XR WRIST COLLES FRACTURE", "CHEST 2 VIEWS", "XR FOOT LISFRANC INJURY", "KNEE OSGOOD SCHLATTER"],
    "DX": ["DX PELVIS AP", "DX CHEST PORTABLE", "DX SPINE SCOLIOSIS COBB ANGLE", "DX HAND BOXER FRACTURE"],
    "MG": ["MAMMO SCREENING BILAT", "MAMMO DIAG LT TOMO", "MG PAGET DISEASE NIPPLE"],
    "NM": ["BONE SCAN WHOLE BODY", "NM THYROID UPTAKE GRAVES DISEASE", "MYOCARDIAL PERFUSION REST STRESS"],
    "PT": ["PET/CT SKULL BASE TO THIGH", "FDG HODGKIN LYMPHOMA RESTAGING", "PET MERKEL CELL CARCINOMA"],
    "ECG": ["ECG 12 LEAD RESTING", "HOLTER WENCKEBACH BLOCK", "ECG BRUGADA PATTERN"],
    "RT": ["SBRT LUNG 50GY/5FX", "PROSTATE VMAT 78GY", "BREAST TANGENTS 40GY 15FX"],
}
SERIES = {
    "CT": ["AXIAL 1.25MM LUNG", "COR MIP 8MM", "PORTAL VENOUS 3.0", "SCOUT AP/LAT", "BONE PLUS 0.6"],
    "MR": ["SAG STIR", "AX DWI b0 b500 b1000", "COR PD FS", "LAVA FLEX DELAY 3 MIN", "T2 HASTE TRA MBH"],
    "US": ["RT LOBE TRANS", "GB SAG", "ICA PROX PSV", "LONG AXIS CLIP", "BPD HC AC FL"],
    "CR": ["PA", "LATERAL", "OBLIQUE", "AP STANDING"], "DX": ["AP SUPINE", "LAT CROSSTABLE", "PA ERECT"],
    "MG": ["R CC", "L MLO", "L ML MAG", "R MLO TOMO"], "NM": ["ANTERIOR 4HR", "GATED STRESS", "FLOW 2 SEC/FRAME"],
    "PT": ["WB 3D MAC", "CTAC 3.75 THICK", "NAC BODY"], "ECG": ["RHYTHM STRIP 25MM/S"], "RT": ["STRUCTURES V2", "PLAN ARC 1"],
    "SR": ["DOSE REPORT", "FINDINGS"], "PR": ["KEY ANNOTATIONS"], "SEG": ["LIVER SEGMENTATION"], "KO": ["KEY IMAGES"],
}
PROTOCOL = ["6.3 ABD_PEL_ROUTINE/ABDOMEN", "t1_vibe_fs_tra_p2_bh_320", "Abd^01_LIVER_3PHASE (Adult)", "LSPINE^ROUTINE^W-O", "P2^P77^S12^I3",
            "ep2d_diff_b50_400_800", "Chest PE 70cc Bolus", "sT2W_TSE_SENSE 4mm", "1.1_THORAX_Br40_S3", "Smart mA 100-450 ASiR 40%"]
LONGTEXT = [
    "Bosniak IIF cyst in the left kidney measures 2.3 x 1.9 cm, unchanged over 12 months.",
    "Post void residual 45 mL. Prostate volume 38 cc. Foley balloon in good position.",
    "L4/5 disc bulge with Modic type 2 changes, no Schmorl node at T12.",
    "Long segment Barrett esophagus, small hiatal hernia, will follow with endoscopy.",
    "5 mm nodule in the right upper lobe, Fleischner follow-up in 6 to 12 months.",
    "Patient may have stone in the distal ureter; mark made at skin for incision.",
    "Gleason 3+4=7, PSA 6.8 ng/mL, PI-RADS 4 lesion at the left apex.",
    "Dose 120 kV, 210 mAs, CTDIvol 8.4 mGy, DLP 512 mGy cm.",
    "Baker cyst measuring 34 x 12 mm, head of fibula intact, rose thorn injury years ago.",
    "SUVmax 9.7 in station 4R node, Deauville 4, Ann Arbor stage IIIB.",
    "Kerley B lines and Hampton hump absent. Westermark sign not seen.",
    "Well circumscribed mass, BI-RADS 2, recall in 1 year for routine views.",
    "Heart rate 72 bpm, PR 160 ms, QRS 92 ms, QTc Bazett 418 ms.",
    "Young adult with Ewing sarcoma of the femur, 3 cycles given, good response.",
]
LOCALTEXT = {
    "de_DE": ["Zustand nach Hüft-TEP links, Rundherd 8 mm im rechten Oberlappen.", "Kein Anhalt für Fraktur, Verlaufskontrolle in 3 Monaten empfohlen."],
    "fr_FR": ["Nodule de 12 mm du lobe supérieur droit, contrôle dans 3 mois.", "Douleur abdominale fébrile, pas d'épanchement."],
    "es_MX": ["Nódulo tiroideo de 9 mm, TI-RADS 3, control en 1 año.", "Dolor lumbar crónico sin irradiación."],
    "it_IT": ["Cisti epatica di 15 mm, stabile rispetto al precedente.", "Frattura del polso destro in gesso."],
    "pt_BR": ["Cálculo renal de 6 mm à esquerda, sem hidronefrose.", "Tosse há 3 semanas, afastar pneumonia."],
    "nl_NL": ["Geen aanwijzingen voor longembolie, controle over 6 weken.", "Status na hernia operatie L5-S1."],
    "pl_PL": ["Guzek 7 mm w prawym płacie tarczycy, kontrola za 6 miesięcy.", "Ból brzucha od 3 dni."],
    "tr_TR": ["Sağ böbrekte 11 mm taş, hidronefroz yok.", "Karaciğer boyutu normal sınırlarda."],
    "vi_VN": ["Nang gan phải kích thước 12 mm.", "Theo dõi sau 6 tháng."],
    "ru_RU": ["Узел 9 мм в правой доле, контроль через 6 месяцев.", "Переломов не выявлено."],
    "el_GR": ["Κύστη ήπατος 14 mm, χωρίς μεταβολή.", "Έλεγχος σε 6 μήνες."],
    "zh_CN": ["右肺上葉結節 8 mm", "肝囊腫 12 mm"],
    "ja_JP": ["右肺上葉に 8 mm の結節", "肝嚢胞 12 mm"],
    "ko_KR": ["우상엽 결절 8 mm", "간낭종 12 mm"],
    "he_IL": ["ציסטה בכבד 12 mm", "ללא שבר"],
    "ar_EG": ["عقدة في الرئة اليمنى 8 mm", "لا يوجد كسر"],
}
# (fragment, kind of identity); {} is the value
CUES = {
    "name": ["{}", "pt {}", "Patient: {}", "re {}", "for {}", "[{}]"],
    "mrn": ["MRN {}", "ID:{}", "#{}", "Hosp No {}", "{}"],
    "acc": ["acc {}", "Accession: {}", "({})", "order {}"],
    "date": ["{}", "on {}", "prior {}", "dated {}"],
    "dob": ["DOB {}", "born {}", "b. {}"],
    "phone": ["tel {}", "Ph: {}", "call back {}", "pager {}"],
    "email": ["{}", "email {}", "mailto:{}"],
    "address": ["{}", "lives at {}", "addr {}"],
    "inst": ["at {}", "@{}", "from {}", "{}"],
    "doctor": ["Dr {}", "ref by Dr. {}", "{} MD", "per {}, M.D.", "read by Dr {}", "Prof. {}"],
    "third": ["daughter {} present", "interpreter {}", "next of kin: {}", "d/w RN {}", "seen with {} PA-C", "brought by wife {}"],
    "nid": ["SSN {}", "NHS {}", "insurance no. {}", "policy {}"],
}
ROI = ["GTV_primary", "PTV 50Gy", "Spinal Cord", "Lung_L", "Heart", "BODY", "Bowel Bag"]
SEGMENTS = ["Liver", "Left kidney", "Tumor core", "Aorta"]
LABELS = ["Lesion A: 23 mm", "HU 45 +/- 12", "Cobb 34 deg", "see arrow", "Vol 3.2 cc"]
STATIONS = ["CTRM2", "MRBAY1", "USPORT3"]
MODELS = [("GE MEDICAL SYSTEMS", "Revolution HD"), ("SIEMENS", "Skyra"), ("Philips Medical Systems", "Ingenia"), ("Canon Medical", "Aplio i800"), ("HOLOGIC, Inc.", "Selenia Dimensions")]
DATES = ["{d:%d %b %Y}", "{d:%m/%d/%Y}", "{d:%Y-%m-%d}", "{d:%d-%b-%Y}", "{d:%B %d, %Y}", "{d:%d.%m.%Y}"]
