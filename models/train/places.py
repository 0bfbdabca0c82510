"""Hospitals, wards, employers, streets and towns."""

from people import given, surname

STREETS_EN = ["Street", "St", "St.", "Rd", "Road", "Ave", "Avenue", "Lane", "Ln", "Drive", "Dr", "Blvd", "Way", "Court",
              "Ct", "Close", "Crescent", "Terrace", "Place", "Pl", "Hill", "Grove", "Walk", "Parkway", "Square", "Mews", "Row"]
STREETS = {
    "de": ["{0}straße {n}", "{0}str. {n}", "{0}weg {n}", "{0}gasse {n}", "{0}-Allee {n}", "Am {0}platz {n}", "{0}ring {n}",
           "{0}er Straße {n}", "{1}-{0}-Straße {n}", "An der {0}mühle {n}"],
    "fr": ["{n} rue {0}", "{n} rue {1} {0}", "{n}, avenue {1} {0}", "{n} bd {0}", "{n} boulevard de {t}", "{n} bis rue de {t}",
           "{n} place {0}", "{n} chemin de {0}", "{n} allée des {0}", "{n} impasse {0}"],
    "es": ["C/ {0} {n}", "Calle {1} {0}, {n}", "Avda. {0} {n}", "Av. {0} {n}", "Paseo de {t} {n}", "Plaza {0} {n}", "Calle de {t}, {n}"],
    "it": ["Via {1} {0} {n}", "Via {0}, {n}", "Viale {0} {n}", "Piazza {0} {n}", "Corso {0} {n}", "Via {t} {n}", "V.le {0} {n}"],
    "pt": ["Rua {1} {0}, {n}", "R. {0} {n}", "Av. {1} {0} {n}", "Avenida {0}, {n}", "Travessa {0} {n}", "Praça {0} {n}", "Rua de {t} {n}"],
    "nl": ["{0}straat {n}", "{0}laan {n}", "{0}weg {n}", "{0}plein {n}", "{0}gracht {n}", "{0}kade {n}", "{1} {0}straat {n}", "{t}seweg {n}"],
}
SAINTS = ["Mary", "Mary's", "Luke's", "John", "Joseph", "James", "Anne", "Elizabeth", "Vincent", "Francis", "Thomas", "George's",
          "Bartholomew's", "Jude", "Catherine", "Michael", "Andrew's", "Helier", "Clare", "Camillus", "Rita", "Agnes", "Mark's",
          "Peter's", "Patrick's", "Raphael", "Gabriel", "Nicholas", "Martin's", "Barnabas", "Bernard"]
HOSPITALS = {
    "en": ["{t} General Hospital", "{t} General", "{t} Medical Center", "{t} Med Ctr", "{t} Hospital", "{s} Memorial Hospital", "{s} Memorial",
           "{s} Clinic", "St {x} Hospital", "St. {x} Hospital", "Saint {x} Medical Centre", "St {x}", "{t} Royal Infirmary", "Royal {t} Hospital",
           "{t} Regional Medical Center", "{t} Community Hospital", "University Hospital {t}", "University Hospital of {t}",
           "{t} University Hospital", "{t} Children's Hospital", "{s} Children's", "{t} VA Medical Center", "Mercy {t}", "{t} Imaging Center",
           "{s} Radiology Associates", "{t} Radiology Group", "{t} Diagnostic Imaging", "{t} Health", "{s} Heart Institute", "{t} NHS Trust",
           "{t} Cardiology Assoc", "{t} Breast Center", "{t} Women's Hospital", "{t} Orthopaedic Clinic", "{s} & {s2} Radiology",
           "{t} Urgent Care", "{t} Surgery Center", "{s} Medical Practice", "{t} Health Centre", "Queen {g} Hospital", "King {g} Hospital",
           "{s} Institute", "{t} Cancer Center", "{t} Eye Clinic", "{t} Veterinary Hospital", "{t} Gen Hosp", "{t} Hosp", "{t} MRI", "{t} Cottage Hospital",
           "{t} District Hospital", "{t} County Hospital", "Our Lady of {t} Hospital", "{s} Foundation", "{t} Family Practice", "{s} Family Medicine",
           "{t} Dialysis", "{t} Sports Medicine", "{t} OB/GYN", "{t} Perinatal Center", "{t} Hospice", "Bay{l} Hospital", "{l}view Medical Center"],
    "de": ["Klinikum {t}", "Universitätsklinikum {t}", "Uniklinik {t}", "Krankenhaus {t}", "St. {g}-Krankenhaus", "Kreiskrankenhaus {t}",
           "Radiologie {t}", "MVZ {t}", "Praxis Dr. {s}", "Gemeinschaftspraxis {s}/{s2}", "{s}-Klinik", "Klinik am {t}er Tor", "Marienhospital {t}",
           "Evangelisches Krankenhaus {t}", "Kinderklinik {t}", "Radiologische Praxis {s}", "Krankenhaus {t}-Mitte", "Diakonie {t}", "Helios Klinik {t}",
           "Kantonsspital {t}", "Landesklinikum {t}", "Spital {t}", "Reha-Klinik {t}", "Seniorenheim {s}"],
    "fr": ["CHU {t}", "CHU de {t}", "Hôpital {g} {s}", "Hôpital de {t}", "Hôpital Saint-{g}", "Clinique {s}", "Clinique de {t}", "CH {t}", "Centre hospitalier de {t}",
           "Cabinet de radiologie {s}", "Polyclinique de {t}", "Clinique Sainte-{g}", "Imagerie médicale {t}", "Hôpitaux universitaires de {t}", "EHPAD {s}",
           "Institut {s}", "Cabinet Dr {s}", "Hôpital {s}", "IRM {t}"],
    "es": ["Hospital {t}", "Hospital de {t}", "Hospital Universitario {t}", "Hospital San {g}", "Clínica {s}", "Clínica {t}", "Centro Médico {s}", "H. U. {t}",
           "Hospital General de {t}", "Centro de Salud {t}", "Hospital Santa {g}", "Sanatorio {s}", "Hospital Infantil {g} {s}", "Instituto {s}", "Policlínica {t}",
           "Residencia {s}", "Hosp. {t}", "C.S. {t}", "Consultorio Dr. {s}"],
    "it": ["Ospedale di {t}", "Ospedale San {g}", "Ospedale {s}", "Policlinico {s}", "Azienda Ospedaliera {t}", "ASL {t}", "Clinica {s}", "Casa di cura {s}",
           "Istituto {s}", "Ospedale Santa {g}", "Poliambulatorio {t}", "Studio Radiologico {s}", "Osp. {t}", "Centro Medico {s}", "Ospedale Civile {t}"],
    "pt": ["Hospital {t}", "Hospital de {t}", "Hospital São {g}", "Hospital Santa {g}", "Clínica {s}", "Centro Hospitalar de {t}", "Santa Casa de {t}", "UBS {s}",
           "Hospital Universitário de {t}", "Clínica Dr. {s}", "Centro de Saúde de {t}", "Hospital Dr. {g} {s}", "Laboratório {s}", "UPA {t}", "Instituto {s}"],
    "nl": ["{t} Ziekenhuis", "Ziekenhuis {t}", "{t} UMC", "UMC {t}", "{s} Ziekenhuis", "Sint {g} Ziekenhuis", "St. {g} Gasthuis", "{s} Kliniek", "Kliniek {t}",
           "Huisartsenpraktijk {s}", "Medisch Centrum {t}", "Verpleeghuis {s}", "{t} Gasthuis", "Diagnostisch Centrum {t}", "MC {t}"],
}
HOSPITALS_TEST = ["{t} Hospital", "{s} Medical Center", "St {x} Hospital {t}", "{t} Infirmary", "{s} Clinic", "{t} Community Medical Center",
                  "Hôpital {s}", "Klinik {t}", "Hospital {s}", "{t} Radiology", "Ospedale {t}", "{s} Memorial Hospital", "Ziekenhuis {t}"]
EMPLOYERS = ["{s} & Sons", "{s} Logistics", "{s} Ltd", "{s} GmbH", "{t} Steel", "{s} Construction", "{t} Police Department", "{t} Fire Dept",
             "{s} Bakery", "{t} Airport", "{s} Foods", "{t} Quarry", "{s} Motors", "{t} Shipyard", "{s} Engineering", "{t} Mining Co", "{s} Inc",
             "{t} Rovers FC", "{t} City Council", "{s} Plumbing", "{t} United", "{s} Farms", "{t} Distillery", "{s} Haulage", "{s} Bros."]
SCHOOLS = ["{t} High School", "{t} Primary School", "{s} Elementary", "{t} University", "University of {t}", "{s} College", "{t} Academy", "{t} Middle School",
           "{s} Grammar School", "{t} State University", "St {x} School", "Gymnasium {t}", "Lycée {s}", "Colegio {s}", "{t} Kindergarten", "Liceo {s}"]
HOMES = ["{s} House", "{t} Nursing Home", "{s} Lodge", "{t} Manor", "{s} Court Care Home", "{t} Rest Home", "Villa {s}", "{t} Assisted Living",
         "The {s} Care Home", "{l}wood Residential Home", "{t} Village Retirement", "HMP {t}", "{t} Prison", "{t} Correctional Facility", "{t} Detention Center", "{l}brook SNF"]
INSURERS = ["{s} Mutual", "{t} Health Plan", "{s} Insurance", "{t} Blue Shield", "AOK {t}", "{s} Krankenkasse", "{t} Care", "Mutuelle {s}", "{s} Assurance",
            "{t} Life", "{s} Benefit Fund", "{t} Medicaid Plan"]
WARDS = ["Ward {n}", "ward {n}{L}", "Ward {s}", "{s} Ward", "Wd {n}", "Stn {n}", "Station {n}{L}", "Station {s}", "Bed {n}, Ward {m}", "Ward {n} Bed {m}", "WD{n}-B{m}",
         "{n}{L} West", "{n} North", "Bay {m} Bed {n}", "W{n} bed {m}", "Room {r}{L}", "Rm {r}-{m}", "Unit {n}{L}", "ICU bed {n}", "ITU Bed {m}", "{s} Unit", "{s} Pavilion",
         "{s} Wing", "{n} East Rm {r}", "pav. {s}", "sala {n} letto {m}", "Zimmer {r}", "Stat. {n}", "afd. {n}", "cama {r}", "lit {r}", "leito {r}", "NICU bed {n}", "Bed {n}"]
ROADS = ["M{n}", "A{r}", "I-{n}", "Hwy {n}", "Highway {r}", "US-{r}", "Route {n}", "A{n}", "B{r}", "Interstate {n}", "N{r}", "A{n} motorway", "junction {n}", "exit {r}"]
LANDMARKS = ["{t} Bridge", "{s} Park", "{t} Station", "{s} Beach", "Lake {s}", "Mount {s}", "{t} Mall", "{s} Farm", "{t} Ski Resort", "{t} Market", "{s} Falls", "{t} roundabout",
             "{s} Creek", "{t} Harbour", "{t} swimming pool", "{s} Hill", "Cape {s}"]


def town(context):
    lists = context.lists
    if context.is_test:
        return context.pick(lists["test_city"])
    draw = context.random.random()
    if draw < 0.6:
        return context.pick(lists["city"])
    if draw < 0.75:
        return context.pick(lists["town"][context.pick(sorted(lists["town"]))])
    return context.names.invent(context, {"city": lists["latin_city"]}, "city", "town")


def fill(context, pattern):
    """Puts people, places and numbers into a pattern of names."""
    values = {
        "t": town(context), "s": surname(context), "s2": surname(context), "x": context.pick(SAINTS), "g": given(context),
        "n": str(context.between(1, 32)), "m": str(context.between(1, 12)), "r": str(context.between(100, 980)),
        "L": context.pick(["", "", "A", "B", "C"]), "l": surname(context).capitalize(), "0": surname(context), "1": given(context),
    }
    for key, value in values.items():
        pattern = pattern.replace("{" + key + "}", value)
    return pattern


def hospital(context):
    patterns = HOSPITALS_TEST if context.is_test else HOSPITALS.get(context.language, HOSPITALS["en"])
    if not context.is_test and context.chance(0.05):
        return context.pick(["CHU ", "MGH ", ""]) + town(context) + context.pick([" Hosp", " Clinic", " Radiology", " Imaging"])
    return fill(context, context.pick(patterns))


def company(context):
    if not context.is_test and context.chance(0.3):
        return context.pick(context.lists["company"])
    return fill(context, context.pick(EMPLOYERS))


def street(context):
    lists = context.lists
    number = str(context.between(1, 300)) + context.pick(["", "", "", "a", "B", "-" + str(context.between(1, 9))])
    if context.is_test and context.chance(0.6):
        return context.pick(lists["test_street"])
    if not context.is_test and context.chance(0.3):
        return context.pick(lists["street"][context.pick(sorted(lists["street"]))])
    if context.language in STREETS:
        pattern = context.pick(STREETS[context.language])
        return pattern.replace("{n}", number).replace("{t}", town(context)).replace("{0}", surname(context)).replace("{1}", given(context))
    base = context.pick([surname(context), surname(context), town(context), context.pick(["Main", "Church", "High", "Park", "Station", "Oak", "Elm", "Mill", "King", "Queen", "Victoria", "School", "North", "Maple", "2nd", "5th", "12th"])])
    return f"{number} {base} {context.pick(STREETS_EN)}"


def postcode(context):
    letters = "ABCDEFGHJKLMNPRSTUWY"
    return context.pick([
        lambda: context.digits(5), lambda: context.digits(5), lambda: context.digits(5) + "-" + context.digits(4),
        lambda: f"{context.pick(letters)}{context.pick(letters)}{context.between(1, 29)} {context.between(1, 9)}{context.pick(letters)}{context.pick(letters)}",
        lambda: f"{context.digits(4)} {context.pick(letters)}{context.pick(letters)}",
        lambda: f"{context.pick(letters)}{context.between(1, 9)}{context.pick(letters)} {context.between(1, 9)}{context.pick(letters)}{context.between(1, 9)}",
        lambda: context.digits(5) + "-" + context.digits(3), lambda: context.digits(4),
    ])()


def address(context):
    place = town(context)
    tail = context.pick([f", {place}", f", {place} {postcode(context)}", f", {postcode(context)} {place}", f" {place}", f", {place}, {context.pick(['NY', 'TX', 'MA', 'CA', 'OH', 'UK', 'VIC', 'ON', 'IL', 'WA'])} {context.digits(5)}"])
    return street(context) + tail


def of(patterns):
    return lambda context: fill(context, context.pick(patterns))


def labelled(function, label):
    return lambda context: [(function(context), label)]


SLOTS = {
    "hospital": labelled(hospital, "ORG"),
    "employer": labelled(company, "ORG"),
    "school": labelled(of(SCHOOLS), "ORG"),
    "home": labelled(of(HOMES), "ORG"),
    "insurer": labelled(of(INSURERS), "ORG"),
    "ward": labelled(of(WARDS), "ORG"),
    "street": labelled(street, "LOCATION"),
    "town": labelled(town, "LOCATION"),
    "postcode": labelled(postcode, "LOCATION"),
    "address": labelled(address, "LOCATION"),
    "road": labelled(of(ROADS), "LOCATION"),
    "landmark": labelled(of(LANDMARKS), "LOCATION"),
    "bare_town": town,
}
