//! What somebody should see to before it costs an instance: little space, a
//! quota that is used up, an instance that waits too long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use super::handle::QueueView;
use super::node::Node;
use crate::config::Config;
use crate::lifecycle::Stopping;

/// How often is looked. Default 30 s: the names of 100,000 instances are read in
/// a fraction of a second.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often a lasting alarm is told in the log. Default 1 h.
const TELL_EVERY: Duration = Duration::from_secs(60 * 60);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Space,
    Quota,
    Age,
}

/// What is wrong with a node that stands so, in plain words.
pub(super) fn words(view: &QueueView, config: &Config) -> Vec<String> {
    alarms(view, config).into_values().collect()
}

fn alarms(view: &QueueView, config: &Config) -> BTreeMap<Alarm, String> {
    let mut alarms = BTreeMap::new();
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
    let age = Duration::from_secs(view.oldest_seconds);
    if age > config.alarm_age {
        let minutes = age.as_secs() / 60;
        let what = format!("an instance waits for {minutes} min already (data.alarm_age)");
        alarms.insert(Alarm::Age, what);
    }
    alarms
}

/// When which alarm was told last.
#[derive(Debug, Default)]
struct Told(BTreeMap<Alarm, Duration>);

impl Told {
    /// Those of `alarms` that are to be told now; and how many are over.
    fn news(&mut self, alarms: BTreeMap<Alarm, String>, now: Duration) -> (Vec<String>, usize) {
        let before = self.0.len();
        self.0.retain(|alarm, _| alarms.contains_key(alarm));
        let over = before.saturating_sub(self.0.len());
        let due = |last: &Duration| now.saturating_sub(*last) >= TELL_EVERY;
        let news = alarms.into_iter().filter(|(alarm, _)| self.0.get(alarm).is_none_or(due));
        let news: Vec<_> = news.collect();
        for (alarm, _) in &news {
            self.0.insert(*alarm, now);
        }
        (news.into_iter().map(|(_, what)| what).collect(), over)
    }
}

/// Looks until the node stops.
pub async fn watch(node: Arc<Node>, mut stopping: Stopping) {
    let mut told = Told::default();
    loop {
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
    fn an_alarm_is_told_once_then_each_hour_and_again_when_it_comes_back() {
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
        assert_eq!(news(150, 3_800), (1, 0));
    }
}
