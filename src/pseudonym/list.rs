//! A trial's list of codes: CSV in (RFC 4180, with a head line), lines to import
//! out, or all faults at once.
//!
//! Invariant: a fault has a line and a column, never a value: people mail the
//! message to somebody who may not know the patients.

use super::changes::{Import, ListFault};
use super::normalise::PersonRules;
use crate::dicom::day;

/// Longest list. Default 48 MiB, some 700,000 lines: it travels to the node in
/// one message, and a longer one can be imported in parts.
pub const LIST_BYTES_MAX: usize = 48 << 20;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Issuer,
    PatientId,
    Code,
    BaselineDate,
    ShiftDays,
}

/// Names in the head line, in any order.
const COLUMNS: [(&str, Column); 5] = [
    ("issuer", Column::Issuer),
    ("patient_id", Column::PatientId),
    ("code", Column::Code),
    ("baseline_date", Column::BaselineDate),
    ("shift_days", Column::ShiftDays),
];

/// Reads a list for `project`; Patient IDs are read as its objects' are.
///
/// # Errors
/// All lines that are wrong; nothing is to be imported then.
pub fn read_list(
    bytes: &[u8],
    project: &str,
    rules: &PersonRules,
) -> Result<Vec<Import>, Vec<ListFault>> {
    let whole = |what: &str| vec![ListFault { line: 1, what: what.to_owned() }];
    if bytes.len() > LIST_BYTES_MAX {
        return Err(whole("the list is longer than 48 MiB; import it in parts"));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(whole("the list is not in UTF-8; save it as CSV UTF-8"));
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1_u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let Some((at, head)) = lines.next() else { return Err(whole("the list is empty")) };
    let separator = if head.contains(';') && !head.contains(',') { ';' } else { ',' };
    let columns = columns(head, separator).map_err(|what| vec![ListFault { line: at, what }])?;
    let (mut imports, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        match import(line, separator, &columns, rules) {
            Ok(import) => {
                imports.push(Import { line: number, project: project.to_owned(), ..import });
            }
            Err(what) => faults.push(ListFault { line: number, what }),
        }
    }
    if faults.is_empty() { Ok(imports) } else { Err(faults) }
}

fn columns(head: &str, separator: char) -> Result<Vec<Column>, String> {
    let names = fields(head, separator).ok_or("a quotation mark is not closed")?;
    let mut columns = Vec::new();
    for (place, name) in (1..).zip(&names) {
        let name = name.trim().to_ascii_lowercase();
        let Some((_, column)) = COLUMNS.iter().find(|(known, _)| *known == name) else {
            return Err(format!(
                "column {place} is none of issuer, patient_id, code, baseline_date, shift_days; \
                 the first line names the columns"
            ));
        };
        if columns.contains(column) {
            return Err(format!("column {place} stands twice"));
        }
        columns.push(*column);
    }
    for (name, needed) in [("patient_id", Column::PatientId), ("code", Column::Code)] {
        if !columns.contains(&needed) {
            return Err(format!("there is no column {name}"));
        }
    }
    Ok(columns)
}

fn import(
    line: &str,
    separator: char,
    columns: &[Column],
    rules: &PersonRules,
) -> Result<Import, String> {
    let values = fields(line, separator).ok_or("a quotation mark is not closed")?;
    if values.len() != columns.len() {
        return Err(format!("{} fields where the head line has {}", values.len(), columns.len()));
    }
    let value = |wanted: Column| {
        let place = columns.iter().position(|column| *column == wanted);
        place.and_then(|place| values.get(place)).map_or("", |value| value.trim())
    };
    let person = rules
        .person(value(Column::Issuer), value(Column::PatientId))
        .map_err(|nobody| format!("patient_id: {nobody}"))?;
    let shift_days = match value(Column::ShiftDays) {
        "" => None,
        days => Some(days.parse().map_err(|_no_number| "shift_days: no whole number")?),
    };
    let baseline_day = match value(Column::BaselineDate) {
        "" => None,
        date => Some(date_of(date).ok_or("baseline_date: no date as 20240131 or 2024-01-31")?),
    };
    let code = value(Column::Code).to_owned();
    Ok(Import { line: 0, project: String::new(), person, code, shift_days, baseline_day })
}

fn date_of(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let dashed = bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
    if dashed { day::parse(&text.replace('-', "")) } else { day::parse(text) }
}

/// The fields of one line; nothing when a quotation mark is not closed.
fn fields(line: &str, separator: char) -> Option<Vec<String>> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut letters = line.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.trim().is_empty() => {
                field.clear();
                quoted = true;
            }
            letter if letter == separator && !quoted => fields.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    fields.push(field);
    (!quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Import>, Vec<ListFault>> {
        read_list(text.as_bytes(), "trial", &PersonRules::standard())
    }

    #[test]
    fn lists_as_people_save_them_are_read() {
        for text in [
            "issuer,patient_id,code,baseline_date\nHOSP,4711,C-1,2024-01-31\n",
            "\u{feff}Issuer;Patient_ID;Code;Baseline_Date\r\nHOSP;4711 ;C-1;20240131\r\n\r\n",
            "code,baseline_date,patient_id,issuer\n\"C-1\",20240131,\"4711\", HOSP",
        ] {
            let list = read(text).unwrap();
            let [line] = &list[..] else { panic!("{text:?}") };
            assert_eq!((line.line, line.project.as_str()), (2, "trial"));
            assert_eq!(line.person.issuer.expose(), "HOSP");
            assert_eq!(line.person.patient_id.expose(), "4711");
            assert_eq!((line.code.as_str(), line.baseline_day), ("C-1", Some(19_753)));
        }
        let quoted = read("patient_id,code\n\"A,\"\"1\"\"\",C 1\n").unwrap();
        assert_eq!(quoted[0].person.patient_id.expose(), "A,\"1\"");
    }

    #[test]
    fn all_faults_are_told_at_once_with_lines_and_without_values() {
        let faults = read(
            "issuer,patient_id,code,baseline_date,shift_days\n\
             HOSP,CANARY-1,C-1,,\n\
             HOSP,UNKNOWN,CANARY-2,,\n\
             HOSP,CANARY-3,C-3,CANARY,\n\
             HOSP,CANARY-4,C-4,20230229,\n\
             HOSP,CANARY-5,C-5,,CANARY\n\
             HOSP,CANARY-6\n\
             HOSP,\"CANARY-7,C-7,,\n",
        )
        .unwrap_err();
        let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
        assert!(!format!("{faults:?}").contains("CANARY"), "{faults:?}");
    }

    #[test]
    fn a_list_without_a_head_line_is_refused_unquoted() {
        for text in ["CANARY-1,C-1\n", "", "patient_id\n4711", "patient_id,code,code\n"] {
            let faults = read(text).unwrap_err();
            assert!(faults.len() == 1 && !faults[0].what.contains("CANARY"), "{faults:?}");
        }
        let latin = read_list(b"patient_id,code\nM\xfcller,1", "trial", &PersonRules::standard());
        assert_eq!(latin.unwrap_err().len(), 1);
    }
}
