//! Identifiers that no attribute announced, by their shape alone: only shapes
//! that nothing clinical has.

/// Digits of a US social security number, as it is written.
const SSN_GROUPS: [usize; 3] = [3, 2, 4];

/// An e-mail address or a social security number stands in the text.
pub(super) fn stands_in(text: &str) -> bool {
    text.split(|letter: char| letter.is_whitespace() || "<>()[]\\,;:\"".contains(letter))
        .any(|word| is_mail(word) || is_ssn(word))
}

fn is_mail(word: &str) -> bool {
    let Some((name, domain)) = word.split_once('@') else { return false };
    let domain = domain.trim_end_matches('.');
    let labels = || domain.split('.');
    let plain = |label: &str| {
        !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
    };
    !name.is_empty() && labels().count() >= 2 && labels().all(plain)
}

fn is_ssn(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric());
    let digits = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    digits && word.split('-').map(str::len).eq(SSN_GROUPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_and_security_numbers_are_told_by_their_shape() {
        for text in ["mail (a.roe@mail.example.org)", "SSN 938-31-2188: kidney", "938-31-2188."] {
            assert!(stands_in(text), "{text}");
        }
        for text in ["12@30 mAs", "T1@3T.", "120-80-60", "938-31-21889", "a-938-31-2188", "@", ""] {
            assert!(!stands_in(text), "{text}");
        }
    }
}
