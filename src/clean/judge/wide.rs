//! Names in writing without spaces (Chinese, Japanese, Korean): they stand
//! anywhere in a run of letters.

use std::ops::Range;

use super::words::{fold, is_wide};

/// Said after a name.
const HONORIFICS: [&str; 12] =
    ["先生", "さん", "様", "殿", "氏", "君", "ちゃん", "씨", "님", "선생님", "女士", "小姐"];

/// The names of one data set.
#[derive(Debug, Default)]
pub(super) struct WideNames {
    names: Vec<Vec<char>>,
    /// A family name of one sign, and the first signs of names: by themselves only.
    single: Vec<char>,
}

impl WideNames {
    /// Adds the components of a name, and the whole in both orders.
    pub(super) fn add(&mut self, components: &[&str]) {
        let letters: Vec<Vec<char>> = components
            .iter()
            .map(|part| fold(part).chars().filter(|c| c.is_alphanumeric()).collect())
            .collect();
        if !letters.iter().flatten().any(|c| is_wide(*c)) {
            return;
        }
        let first = letters.iter().filter_map(|name| name.first());
        self.single.extend(first.filter(|c| is_wide(**c)));
        let whole = letters.concat();
        let backward: Vec<char> = letters.iter().rev().flatten().copied().collect();
        for name in letters.into_iter().chain([whole, backward]) {
            // One sign alone is a word of its own in many texts.
            if name.len() > 1 && name.iter().all(|c| is_wide(*c)) && !self.names.contains(&name) {
                self.names.push(name);
            }
        }
    }

    /// Adds where they stand.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        if self.names.is_empty() {
            return;
        }
        let mut letters: Vec<(char, Range<usize>)> = Vec::new();
        let starts = text.char_indices().map(|(at, _)| at);
        let ends = starts.clone().skip(1).chain([text.len()]);
        for range in starts.zip(ends).map(|(from, to)| from..to) {
            let written = text.get(range.clone()).unwrap_or_default();
            let folded = fold(written);
            letters
                .extend(folded.chars().filter(|c| c.is_alphanumeric()).map(|c| (c, range.clone())));
        }
        for (at, c) in text.char_indices().filter(|(_, c)| self.single.contains(c)) {
            let before = text.get(..at).and_then(|head| head.chars().next_back());
            let end = at + c.len_utf8();
            let after = text.get(end..).and_then(|tail| tail.chars().next());
            if !before.is_some_and(is_wide) && !after.is_some_and(is_wide) {
                found.push(at..end);
            }
        }
        for name in &self.names {
            for window in letters.windows(name.len()) {
                if window.iter().map(|(c, _)| c).eq(name) {
                    let start = window.first().map_or(0, |(_, range)| range.start);
                    let end = window.last().map_or(0, |(_, range)| range.end);
                    found.push(start..with_honorific(text, end));
                }
            }
        }
    }
}

fn with_honorific(text: &str, end: usize) -> usize {
    let rest = text.get(end..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_start().len();
    let honorific = HONORIFICS.iter().find(|honorific| rest.trim_start().starts_with(**honorific));
    honorific.map_or(end, |honorific| end + blanks + honorific.len())
}
