//! What somebody should see to before it costs an instance: little space, a
//! quota that is used up, an instance that waits too long, a fault that stays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use super::handle::QueueView;
use super::health::PutOffView;
use super::node::Node;
use crate::config::Config;
use crate::lifecycle::Stopping;
use crate::vault::VaultError;

/// How often is looked. Default 30 s: the names of 100,000 instances are read in
/// a fraction of a second.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often a lasting alarm is told in the log. Default 1 h.
const TELL_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often the same step may be tried in vain before that is an alarm. Default 4: a
/// minute of tries.
const TRIES_AT_MOST: u32 = 4;

/// For how long there must be room while a destination takes nothing. Default 4 h: until
/// somebody who is called in has mended it.
const ROOM_AT_LEAST: Duration = Duration::from_secs(4 * 60 * 60);

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    /// By its words: each ends with a restart alone.
    Stopped(String),
    Space,
    Quota,
    Room,
    /// Each by the destination's name.
    Refuses(String),
    Silent(String),
    NotConfigured(String),
    /// By the key's id.
    NoKey(String),
    /// By the step.
    PutOff(String),
    Age,
}

/// What may still be written before nothing is taken.
pub(super) fn room_bytes(view: &QueueView, config: &Config) -> u64 {
    let free = view.free_bytes.saturating_sub(config.reserve_bytes);
    match (config.quota_bytes, view.used_bytes) {
        (Some(quota), Some(used)) => free.min(quota.saturating_sub(used)),
        (Some(_), None) | (None, _) => free,
    }
}

/// What is wrong with a node that stands so, in plain words.
pub(super) fn words(view: &QueueView, config: &Config) -> Vec<String> {
    alarms(view, config).into_values().collect()
}

fn alarms(view: &QueueView, config: &Config) -> BTreeMap<Alarm, String> {
    let mut alarms = of_destinations(view, config);
    alarms.extend(view.stopped.iter().map(|what| (Alarm::Stopped(what.clone()), what.clone())));
    alarms.extend(of_faults(view));
    if view.free_bytes < config.reserve_bytes.saturating_mul(2) {
        let what = if view.free_bytes < config.reserve_bytes {
            "nothing is taken: free space is under the reserve"
        } else {
            "free space is under twice the reserve"
        };
        let (free, reserve) = (view.free_bytes >> 20, config.reserve_bytes >> 20);
        let what = format!("{what} ({free} MiB free, data.reserve_mib = {reserve})");
        alarms.insert(Alarm::Space, what);
    }
    if let (Some(used), Some(quota)) = (view.used_bytes, config.quota_bytes)
        && used >= quota
    {
        let (used, quota) = (used >> 20, quota >> 20);
        let what = format!(
            "nothing is taken: the quota is used up ({used} MiB, data.quota_mib = {quota})"
        );
        alarms.insert(Alarm::Quota, what);
    }
    // What is kept beyond its delivery makes room when it is wanted.
    let keeps = !config.keep.is_zero() && view.kept > 0;
    if let Some(lasts) = view.room_seconds.map(Duration::from_secs)
        && !(view.troubles.is_empty() || keeps)
        && lasts < ROOM_AT_LEAST
    {
        let minutes = lasts.as_secs() / 60;
        let what = format!(
            "a destination takes nothing, and room lasts for {minutes} min of the busiest hour \
             since the start: make room, or mend the destination"
        );
        alarms.insert(Alarm::Room, what);
    }
    let age = Duration::from_secs(view.oldest_seconds);
    if age > config.alarm_age {
        let minutes = age.as_secs() / 60;
        let what = format!("an instance waits for {minutes} min already (data.alarm_age)");
        alarms.insert(Alarm::Age, what);
    }
    alarms
}

fn of_faults(view: &QueueView) -> BTreeMap<Alarm, String> {
    let mut alarms = BTreeMap::new();
    for key_id in &view.missing_keys {
        let why = VaultError::UnknownKey { key_id: key_id.clone() };
        let what = format!("something in the spool waits and is not lost, {why}");
        alarms.insert(Alarm::NoKey(key_id.clone()), (0, what));
    }
    for put_off in view.put_off.iter().filter(|put_off| put_off.tries >= TRIES_AT_MOST) {
        let PutOffView { step, what, instances, for_seconds, .. } = put_off;
        let alarm = Alarm::PutOff(step.clone());
        // Of several causes the one of most instances.
        let before = alarms.get(&alarm).map_or(0, |(most, _)| *most);
        if before <= *instances {
            let (of_what, minutes) = (put_off.of_what(), for_seconds / 60);
            let what = format!("{of_what} is put off for {minutes} min already: {what}");
            alarms.insert(alarm, (*instances, what));
        }
    }
    alarms.into_iter().map(|(alarm, (_, what))| (alarm, what)).collect()
}

fn of_destinations(view: &QueueView, config: &Config) -> BTreeMap<Alarm, String> {
    let mut alarms = BTreeMap::new();
    for (name, trouble) in &view.troubles {
        if trouble.refuses {
            let what = format!(
                "destination {name} refuses us: {}; check AE titles and its configuration",
                trouble.said
            );
            alarms.insert(Alarm::Refuses(name.clone()), what);
        } else if Duration::from_secs(trouble.for_seconds) > config.alarm_age {
            let minutes = trouble.for_seconds / 60;
            let what = format!(
                "destination {name} has taken nothing for {minutes} min: {} (data.alarm_age)",
                trouble.said
            );
            alarms.insert(Alarm::Silent(name.clone()), what);
        }
    }
    for (name, waiting) in &view.outbox {
        if *waiting > 0 && !config.destinations.contains_key(name) {
            let what = format!(
                "{waiting} wait for {name}, which is not configured any more: configure \
                 destination.{name} again, then restart the node"
            );
            alarms.insert(Alarm::NotConfigured(name.clone()), what);
        }
    }
    alarms
}

/// When which alarm was told last, and whether it goes on.
#[derive(Debug, Default)]
struct Told(BTreeMap<Alarm, (Duration, bool)>);

impl Told {
    /// Those of `alarms` that are to be told now; and how many are over. One that comes
    /// and goes is told once an hour too.
    fn news(&mut self, alarms: BTreeMap<Alarm, String>, now: Duration) -> (Vec<String>, usize) {
        let mut over: usize = 0;
        for (alarm, (_, goes_on)) in &mut self.0 {
            let is_over = *goes_on && !alarms.contains_key(alarm);
            over = over.saturating_add(usize::from(is_over));
            *goes_on = alarms.contains_key(alarm);
        }
        let is_due = |told: Duration| now.saturating_sub(told) >= TELL_EVERY;
        self.0.retain(|_, (told, goes_on)| *goes_on || !is_due(*told));
        let mut news = Vec::new();
        for (alarm, what) in alarms {
            if self.0.get(&alarm).is_none_or(|(told, _)| is_due(*told)) {
                self.0.insert(alarm, (now, true));
                news.push(what);
            }
        }
        (news, over)
    }
}

/// Looks until the node stops.
pub async fn watch(node: Arc<Node>, mut stopping: Stopping) {
    let mut told = Told::default();
    loop {
        node.intake.look(node.clock.monotonic(), node.spool.taken_bytes());
        match node.standing().await {
            Ok(view) => {
                let (news, over) = told.news(alarms(&view, &node.config), node.clock.monotonic());
                news.iter().for_each(|what| error!("ALARM: {what}"));
                if over > 0 {
                    info!(over, "alarms are over");
                }
            }
            Err(error) => warn!(%error, "the node cannot look at its own state"),
        }
        tokio::select! {
            () = stopping.wait() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::TroubleView;

    fn config() -> Config {
        let toml = "[data]\nreserve_mib = 100\nquota_mib = 10\n";
        Config::check(&toml::from_str(toml).unwrap()).unwrap()
    }

    fn view(free_mib: u64, used_mib: u64, oldest_seconds: u64) -> QueueView {
        let used_bytes = Some(used_mib << 20);
        QueueView { free_bytes: free_mib << 20, used_bytes, oldest_seconds, ..QueueView::default() }
    }

    #[test]
    fn each_alarm_is_raised_at_its_border() {
        let raised = |view| words(&view, &config()).len();
        assert_eq!(raised(view(200, 9, 3_600)), 0);
        assert_eq!(raised(view(199, 9, 3_600)), 1);
        assert_eq!(raised(view(200, 10, 3_600)), 1);
        assert_eq!(raised(view(200, 9, 3_601)), 1);
        assert_eq!(raised(view(99, 11, 9_999)), 3);
        assert!(words(&view(99, 0, 0), &config())[0].starts_with("nothing is taken"));
    }

    #[test]
    fn destinations_and_what_stopped_are_alarms() {
        let toml = "[destination.pacs]\nfolder = '/nowhere'\n";
        let config = Config::check(&toml::from_str(toml).unwrap()).unwrap();
        let free_bytes = u64::MAX;
        let trouble = |refuses, for_seconds| {
            let trouble = TroubleView { refuses, for_seconds, ..TroubleView::default() };
            let troubles = [(String::from("pacs"), trouble)].into();
            words(&QueueView { free_bytes, troubles, ..QueueView::default() }, &config)
        };
        let lasting = config.alarm_age.as_secs();
        assert!(trouble(true, 0)[0].contains("destination pacs refuses us"));
        assert!(trouble(false, lasting).is_empty());
        assert!(trouble(false, lasting + 1)[0].contains("destination pacs has taken nothing"));
        let outbox = |name: &str, waiting| {
            let outbox = [(name.to_owned(), waiting)].into();
            words(&QueueView { free_bytes, outbox, ..QueueView::default() }, &config)
        };
        assert!(outbox("pacs", 9).is_empty() && outbox("old", 0).is_empty());
        assert!(outbox("old", 9)[0].contains("9 wait for old, which is not configured"));
        let stopped = vec![String::from("the ledger"), String::from("a task")];
        let view = QueueView { free_bytes, stopped, ..QueueView::default() };
        assert_eq!(words(&view, &config), ["a task", "the ledger"]);
    }

    #[test]
    fn room_that_runs_out_is_an_alarm_while_a_destination_takes_nothing() {
        let raised = |room_seconds, troubles| {
            let view = QueueView { room_seconds, troubles, ..view(1_000, 0, 0) };
            words(&view, &config()).len()
        };
        let trouble = || [(String::from("pacs"), TroubleView::default())].into();
        assert_eq!(raised(Some(4 * 3_600 - 1), trouble()), 1);
        assert_eq!(raised(Some(4 * 3_600), trouble()) + raised(None, trouble()), 0);
        assert_eq!(raised(Some(0), BTreeMap::new()), 0);
        let room = |free, used| room_bytes(&view(free, used, 0), &config()) >> 20;
        assert_eq!((room(105, 4), room(200, 4), room(50, 0), room(200, 11)), (5, 6, 0, 0));
    }

    #[test]
    fn a_missing_key_and_a_fault_that_stays_are_alarms() {
        let free_bytes = u64::MAX;
        let put_off = |tries, instances, what: &str| {
            let (step, what) = ("cleaning".to_owned(), what.to_owned());
            PutOffView { step, what, instances, for_seconds: 65, tries }
        };
        let told =
            |put_off| words(&QueueView { free_bytes, put_off, ..QueueView::default() }, &config());
        assert!(told(vec![put_off(3, 1, "a")]).is_empty());
        assert_eq!(told(vec![put_off(4, 0, "a")]), ["cleaning is put off for 1 min already: a"]);
        let several = vec![put_off(4, 1, "a"), put_off(9, 500, "b"), put_off(5, 2, "c")];
        assert_eq!(told(several), ["cleaning (500 instances) is put off for 1 min already: b"]);
        let missing_keys = vec!["0123abcd".to_owned()];
        let view = QueueView { free_bytes, missing_keys, ..QueueView::default() };
        assert!(words(&view, &config())[0].contains("DATA/keys/retired-0123abcd"));
    }

    #[test]
    fn an_alarm_is_told_once_an_hour_also_when_it_comes_and_goes() {
        let mut told = Told::default();
        let mut news = |free, seconds| {
            let alarms = alarms(&view(free, 0, 0), &config());
            let (news, over) = told.news(alarms, Duration::from_secs(seconds));
            (news.len(), over)
        };
        assert_eq!(news(150, 0), (1, 0));
        assert_eq!(news(150, 3_599), (0, 0));
        assert_eq!(news(150, 3_600), (1, 0));
        assert_eq!(news(500, 3_700), (0, 1));
        assert_eq!(news(150, 3_800), (0, 0));
        assert_eq!(news(500, 3_900), (0, 1));
        assert_eq!(news(150, 7_200), (1, 0));
        assert_eq!(news(500, 7_300), (0, 1));
        assert_eq!(news(150, 20_000), (1, 0));
    }
}
