"""Style B: other names, scripts, character set variants, texts and cues than style A."""

LOCALES = {
    "en_US": (["ISO_IR 192", "ISO_IR 6"], ["Park", "Head", "Price", "Cook", "Rush"], ["May", "Bill", "Grant", "April", "Art"],
              "{n} Quarry Loop", ["Fenwick Falls", "Calder"], ["Three Pines Regional", "Holloway Cancer Institute"],
              ["Marsh", "Castellano", "Field", "Ostrowski"], ["Delphine Rooks", "Otis Lamar", "Ginny Sparrow"]),
    "en_AU": (["ISO_IR 100"], ["Fitzgerald-Long", "Mc Kinnon", "Van Der Zee"], ["Bronte", "Lachlan", "Skye"],
              "Unit 4/{n} Wattle Cres", ["Boonamarra", "Kurrajong Heights"], ["Southern Cross Imaging"], ["Abernethy", "Nguyen-Smith"], ["Darcy Wool", "Matilda Crisp"]),
    "de_AT": (["ISO_IR 203", "ISO_IR 100"], ["Schönauer", "zu Hohenfels", "Weiß", "Bäck"], ["Günther", "Annelie", "Lörinc"],
              "Rosengasse {n}/3", ["Unterholz", "Maria Bründl"], ["Landesklinikum Waldviertl", "Privatklinik Döblhof"], ["Gschwandtner", "Pfälzer"],
              ["Resi Obermoser", "Alois Zwettler"]),
    "fr_CA": (["ISO_IR 192"], ["Côté", "L'Écuyer", "St-Onge", "Bélanger"], ["Maëlle", "Étienne", "Noémie"],
              "{n} chemin des Érables", ["Sainte-Agathe-du-Lac", "Val-Joli"], ["Hôpital Notre-Dame-des-Neiges"], ["Thériault", "Lachance"], ["Ginette Robitaille", "Réjean Gagné"]),
    "es_ES": (["ISO_IR 100", "ISO_IR 192"], ["Zurbarán", "García-Lorca", "de Haro", "Cañizares"], ["Ximena", "Álvaro", "Rocío"],
              "C/ Almendros {n}, 2ºB", ["Villaolmos", "Torrealba"], ["Clínica Nuestra Señora del Puig"], ["Urquijo", "Ordóñez"], ["Pilar Montaner", "Gonzalo Rivas"]),
    "it_CH": (["ISO_IR 100"], ["Quadrelli", "De Bernardi", "Lo Presti"], ["Gaetano", "Nicoletta", "Fulvio"], "Viale Stazione {n}", ["Mezzovico", "Castelrotto"],
              ["Clinica Monte Verità"], ["Ambrosini", "Ticozzi"], ["Ornella Fabbri", "Silvano Conti"]),
    "pt_PT": (["ISO_IR 192"], ["Magalhães", "Simões", "da Câmara"], ["Gonçalo", "Leonor", "Conceição"], "Travessa do Poço {n}", ["Vale Formoso", "Arruda"],
              ["Hospital da Misericórdia"], ["Vasconcelos", "Queirós"], ["Odete Frazão", "Rui Teixeira"]),
    "nl_BE": (["ISO_IR 100"], ["Van de Velde", "'t Hooft", "De Smedt"], ["Liesbeth", "Joris", "Pieter-Jan"], "Molenstraat {n} bus 2", ["Wervikhove", "Lier-Zuid"],
              ["AZ Sint-Godelieve"], ["Vandenbroucke", "Claes"], ["Godelieve Maes", "Bart Wouters"]),
    "pl_PL": (["ISO_IR 192"], ["Szczęsny", "Jabłońska", "Ćwik"], ["Władysław", "Bożena", "Jędrzej"], "al. Kasztanowa {n}", ["Podlesie", "Rzęśnica"],
              ["Centrum Medyczne Zdrój"], ["Mścichowski", "Zięba"], ["Danuta Bielik", "Marek Sroka"]),
    "tr_TR": (["ISO_IR 192", "ISO_IR 148"], ["Çelebioğlu", "Işıklar", "Günay"], ["Nurşen", "Ömer", "Ayşegül"], "Lale Cad. No {n}", ["Dereköy", "Pınarbaşı"],
              ["Özel Deniz Hastanesi"], ["Karaoğlan", "Sümer"], ["Elif Toprak", "Recep Uysal"]),
    "vi_VN": (["ISO_IR 192"], ["Phan", "Võ", "Đoàn"], ["Ngọc An", "Minh Đức", "Thanh Long"], "{n} Phố Hàng Lược", ["Gia Thụy", "Bến Ngự"],
              ["Phòng khám Ánh Dương"], ["Trịnh", "Hoàng"], ["Mai Thị Sáu", "Đỗ Khắc"]),
    "ta_IN": (["ISO_IR 100"], ["Krishnamoorthy", "Pillai", "Raghunathan"], ["Meenakshi", "Senthil", "Anbu"], "{n} Temple Tank Street", ["Thirumalai", "Kovilur"],
              ["Annai Medical Mission"], ["Muthuswamy", "Natarajan"], ["Chellamma Devi", "Perumal Samy"]),
    "ar_SA": (["ISO_IR 192"], ["الغامدي", "الحربي"], ["سلمان", "مريم"], "{n} King Road", ["Hay Al Nakheel"], ["Al Rawabi Hospital"], ["Al-Shammari", "Baker"],
              ["Layla Nasser", "Omar Sindi"]),
    "sv_SE": (["ISO_IR 100"], ["Åkerström", "Sjöqvist", "Öberg"], ["Göran", "Märta", "Åsa"], "Björkvägen {n}", ["Granliden", "Sörmark"], ["Lasarettet Älvhem"],
              ["Hällström", "Nyqvist"], ["Gunvor Lind", "Torsten Ek"]),
    "cs_CZ": (["ISO_IR 101"], ["Dvořáčková", "Říha", "Šťastný"], ["Jiří", "Zdeňka", "Ondřej"], "Lipová {n}", ["Horní Ves", "Třebovice"], ["Nemocnice Na Výšině"],
              ["Kučera", "Žižka"], ["Libuše Malá", "Vojtěch Novák"]),
    "zh_TW": (["ISO_IR 192"], ["司馬", "陳", "林"], ["志強", "淑芬", "雅婷"], "{n} Zhongshan Alley", ["Lugang"], ["Renai Hospital"], ["Hsu", "Tsai"], ["Yating Kuo", "Chia-Hao Liao"]),
    "zh_CN": (["GBK"], ["慕容", "李"], ["晓红", "志刚"], "{n} Longjing Road", ["Nanhu"], ["Tongji Kangfu Clinic"], ["Tang", "Fang"], ["Xiulan Peng", "Haibo Shi"]),
    "ja_JP": (["ISO_IR 192", "ISO 2022 IR 13\\ISO 2022 IR 87"], ["中村", "五十嵐"], ["大輔", "陽子"], "3-{n} Honcho", ["Nishikawa"], ["Aozora Clinic"], ["Fujimoto", "Ueda"],
              ["Sachiko Mori", "Takeshi Noda"]),
    "ko_KR": (["ISO_IR 192"], ["황보", "최"], ["은지", "민수"], "{n} Haneul-gil", ["Sinchon-ri"], ["Dasom Clinic"], ["Noh", "Shim"], ["Eunji Ha", "Taeyang Yoo"]),
    "ru_RU": (["ISO_IR 192", "ISO 2022 IR 144"], ["Шишкин", "Цветаева"], ["Алёна", "Юрий"], "пр. Садовый {n}", ["Озёрск"], ["Клиника Надежда"], ["Жуков", "Соболева"],
              ["Зоя Чернова", "Лев Гусев"]),
    "el_GR": (["ISO_IR 192"], ["Χατζηδάκης", "Βασιλείου"], ["Κατερίνα", "Σταύρος"], "Λεωφόρος Δάφνης {n}", ["Κάτω Χώρα"], ["Κλινική Υγεία Πολιτών"], ["Ξενάκης", "Ρούσσου"],
              ["Μαρία Τσίπη", "Ηλίας Φωκάς"]),
    "he_IL": (["ISO_IR 192"], ["פרידמן", "אלמוג"], ["נועה", "דניאל"], "{n} Rimon St", ["Givat Tal"], ["Meonot Clinic"], ["Shalev", "Ben-Ami"], ["Ruth Oren", "Gadi Sapir"]),
}
LATIN = {"司馬": "Szuma", "陳": "Chen", "林": "Lin", "志強": "Chihchiang", "淑芬": "Shufen", "雅婷": "Yating", "慕容": "Murong", "李": "Li", "晓红": "Xiaohong", "志刚": "Zhigang",
         "中村": "Nakamura", "五十嵐": "Igarashi", "大輔": "Daisuke", "陽子": "Yoko", "황보": "Hwangbo", "최": "Choi", "은지": "Eunjee", "민수": "Minsoo"}
KANA = {"中村": "なかむら", "五十嵐": "いがらし", "大輔": "だいすけ", "陽子": "ようこ"}
EXTRA = ["en_US", "en_US"]

STUDY = {
    "CT": ["CTA RUNOFF BILATERAL", "CT SINUS W/O", "HRCT THORAX", "CT COLONOGRAPHY SCREEN", "TRAUMA PAN SCAN"],
    "MR": ["MRCP WITH SECRETIN", "MR CARDIAC STRESS LAKE LOUISE", "MR ANKLE HAGLUND", "MRI PELVIS FISTULA PARKS", "MR SPINE SCHEUERMANN"],
    "US": ["US SCROTUM DOPPLER", "FAST EXAM TRAUMA BAY", "US LIVER ELASTOGRAPHY", "DVT STUDY RT LEG", "US NECK SJOGREN SYNDROME"],
    "CR": ["XR ELBOW MONTEGGIA", "XR CHEST PA", "XR HIP PERTHES", "XR ANKLE WEBER B"],
    "DX": ["DX ABDOMEN SUPINE", "DX FEMUR 2V", "DX THUMB BENNETT FRACTURE", "DX CHEST INSP EXP"],
    "MG": ["TOMOSYNTHESIS BOTH BREASTS", "MG SPOT COMPRESSION", "MG GALACTOGRAM"],
    "NM": ["HIDA SCAN WITH CCK", "MAG3 RENOGRAM LASIX", "DATSCAN PARKINSON"],
    "PT": ["PSMA PET MELANOMA", "DOTATATE NEUROENDOCRINE", "FDG BRAIN PICK PATTERN"],
    "ECG": ["STRESS TEST BRUCE PROTOCOL", "ECG WOLFF PARKINSON WHITE", "SIGNAL AVERAGED ECG"],
    "RT": ["SPINE SRS 24GY SINGLE", "WHOLE BRAIN 30GY IN 10", "RECTUM SHORT COURSE 25GY"],
}
SERIES = {
    "CT": ["HELICAL 2.0 STND", "SAG REFORMAT 2X2", "ARTERIAL 0.75 Bv36", "LOCALIZER", "EXPIRATORY"],
    "MR": ["AX T2 PROPELLER", "3D CISS", "DIXON WATER ONLY", "PERFUSION REST SHORT AXIS", "COR T1 TSE"],
    "US": ["SAG MIDLINE", "POP V COMPRESSION", "LT KIDNEY LONG", "SHEAR WAVE 10 SAMPLES"],
    "CR": ["SKYLINE", "MORTISE", "FROG LEG"], "DX": ["DECUBITUS", "HORIZONTAL BEAM", "AP MOBILE"], "MG": ["RMLO", "LCC 2D", "SPOT MAG"],
    "NM": ["POST VOID STATIC", "DYNAMIC 1 MIN", "SPECT AC"], "PT": ["TOF PSF 5MM", "LATE PELVIS", "AC WB"], "ECG": ["STAGE 3 EXERCISE"], "RT": ["SET A", "BOOST PLAN"],
    "SR": ["MEASUREMENT LOG", "EVALUATION"], "PR": ["MARKUP"], "SEG": ["AI CONTOUR PROSTATE"], "KO": ["SELECTION FOR CONFERENCE"],
}
PROTOCOL = ["4.16_THX_ABD_BECKEN/ABDOMEN", "tfl3d1_ns_16", "Head^Neck_CTA_BOLUS 2.0 B20f", "RUNOFF^LEG^CARE BOLUS", "WIP_mDIXON_XD_FFE", "se_mc_TE 15-120", "3-plane loc SSFSE",
            "HRCT Lung I70f 1.0", "CAP 100kV VOL A", "sag t1 3/10 512", "BH_FISP_2010ms", "AbdPel w/ 5 x 0.625"]
LONGTEXT = [
    "Morel-Lavallee lesion along the thigh, 9 x 4 x 2 cm, drain placed.",
    "Rotator cuff intact. Type II acromion per Bigliani. Small Bankart tear.",
    "Charcot joint of the midfoot, Lisfranc interval widened to 5 mm.",
    "Couinaud segment VI lesion 18 mm, LI-RADS 4, washout at 3 min.",
    "Ground glass opacity 14 mm, Lung-RADS 4A, repeat CT in 3 months.",
    "EF 58 %, E/A 1.2, TAPSE 22 mm, Simpson biplane.",
    "Right MCA stroke, ASPECTS 7, price of delay discussed, circle of Willis intact.",
    "Thickness 3 mm, increment 1.5 mm, pitch 1.375:1, 512 matrix.",
    "Peyronie plaque 12 mm dorsal, cavernosal PSV 35 cm/s.",
    "Sent for MRI after X-ray on the ward; art of positioning explained to staff.",
    "Virchow node 16 mm, Krukenberg tumor cannot be ruled out, CA-125 at 210.",
    "Child-Pugh B, MELD 14, spleen 15.2 cm, portal vein 13 mm with flow of 18 cm/s.",
    "Salter-Harris II fracture, cast for 4 weeks, bill of materials attached.",
    "TI-RADS 5, 1.1 cm taller than wide, FNA advised within 2 weeks.",
]
LOCALTEXT = {
    "de_AT": ["Leberzyste 14 mm im Segment VII, sonst unauffällig.", "St.p. Cholezystektomie, Kontrolle in 6 Wochen."],
    "fr_CA": ["Fracture de la malléole externe, plâtre pour 6 semaines.", "Kyste rénal simple de 22 mm à gauche."],
    "es_ES": ["Quiste simple de 18 mm en riñón derecho.", "Disnea de esfuerzo desde hace 2 semanas."],
    "it_CH": ["Nodulo polmonare di 6 mm, controllo a 12 mesi.", "Lombalgia cronica, nessuna frattura."],
    "pt_PT": ["Fratura do rádio distal, sem desvio.", "Nódulo mamário de 10 mm, estável."],
    "nl_BE": ["Kleine longnodule van 4 mm, opvolging na 12 maanden.", "Geen fractuur zichtbaar."],
    "pl_PL": ["Torbiel nerki lewej 21 mm, bez zmian.", "Złamanie kości promieniowej."],
    "tr_TR": ["Sol akciğerde 6 mm nodül, kontrol önerilir.", "Kırık saptanmadı."],
    "vi_VN": ["Sỏi thận trái 7 mm.", "Không thấy gãy xương."],
    "sv_SE": ["Ingen fraktur, kontroll om 6 veckor.", "Cysta i höger njure 17 mm."],
    "cs_CZ": ["Cysta ledviny 19 mm, beze změny.", "Bez známek fraktury."],
    "ru_RU": ["Киста почки 19 мм, без динамики.", "Контроль через 3 месяца."],
    "el_GR": ["Οζίδιο 7 mm στον δεξιό λοβό.", "Χωρίς κάταγμα."],
    "zh_TW": ["左腎囊腫 19 mm", "未見骨折"], "zh_CN": ["左肾囊肿 19 mm", "未见骨折"], "ja_JP": ["左腎嚢胞 19 mm", "骨折なし"], "ko_KR": ["좌신 낭종 19 mm", "골절 없음"],
    "he_IL": ["אבן בכליה 6 mm", "מעקב בעוד חודש"], "ar_SA": ["حصاة في الكلية اليسرى 6 mm", "متابعة بعد شهر"],
}
CUES = {
    "name": ["{}", "Pt. Name {}", "Mr/Mrs {}", "{} -", "images of {}", "<{}>", "_{}_"],
    "mrn": ["PID {}", "Med Rec # {}", "{}", "UR no {}", "chart {}"],
    "acc": ["A/N {}", "req {}", "exam no {}", "{}"],
    "date": ["{}", "comp. {}", "surgery {}", "seen {}", "since {}"],
    "dob": ["D.O.B.: {}", "geb. {}", "date of birth {}"],
    "phone": ["T: {}", "mobile {}", "ext {}", "fax {}", "contact {}"],
    "email": ["<{}>", "reply to {}", "{}"],
    "address": ["residing {}", "home: {}", "{}"],
    "inst": ["{}", "transferred from {}", "outside study {}", "imported {}"],
    "doctor": ["Dr. {} requests", "cc: Dr {}", "reported: {}", "s/o Dr. {}", "attending {}", "signed {} MD PhD"],
    "third": ["son {} called", "carer {}", "witnessed by {}", "tech {}", "husband {} consented", "translated by {}"],
    "nid": ["Medicare {}", "ID card {}", "SVNR {}", "claim {}"],
}
ROI = ["CTV_low", "PTV_4500", "Brainstem", "Parotid_R", "External", "Rectum", "Ring 2cm"]
SEGMENTS = ["Prostate", "Spleen", "Edema", "Pericardium"]
LABELS = ["D1 14.8 mm", "mean 102 HU", "angle 12.5", "compare prior", "ROI 3"]
STATIONS = ["XRWARD7", "NMGAMMA", "MGTOMO2"]
MODELS = [("FUJIFILM Corporation", "FDR Go PLUS"), ("SIEMENS", "Biograph mCT"), ("GE MEDICAL SYSTEMS", "Voluson E10"), ("Philips Medical Systems", "Brilliance 64"), ("Mindray", "Resona 7")]
DATES = ["{d:%d/%m/%y}", "{d:%d/%m/%Y}", "{d:%Y%m%d}", "{d:%d %B %Y}", "{d:%Y/%m/%d}", "{d:%b %d %Y}", "{d:%A, %B %d, %Y}"]
