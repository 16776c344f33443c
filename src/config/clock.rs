//! The time and where the person is in it.
//!
//! The zone is found once, when it is first asked for, and by name: `TZ`, then `/etc/localtime`, then `/etc/timezone`. One
//! file of the zone database is read instead of its whole folder.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use super::environment::Environment;
use crate::agent::ports::Clock;

const UNKNOWN: &str = "Etc/UTC";

/// The computer's clock.
#[derive(Debug)]
pub struct SystemClock {
    tz: Option<String>,
    root: PathBuf,
    zone: OnceLock<(String, TimeZone)>,
}

impl SystemClock {
    /// A clock that honours the environment's `TZ`.
    #[must_use]
    pub fn new(env: &Environment) -> Self {
        Self { tz: env.get("TZ").map(str::to_owned), root: PathBuf::from("/"), zone: OnceLock::new() }
    }

    /// Local date and time as rollout files are named: `YYYY-MM-DDTHH-MM-SS`.
    #[must_use]
    pub fn local_now(&self) -> String {
        self.now().strftime("%Y-%m-%dT%H-%M-%S").to_string()
    }

    /// The local date so many days from now, `YYYY-MM-DD`.
    #[must_use]
    pub fn date_in(&self, days: i64) -> String {
        let now = self.now();
        let then = now.date().saturating_add(jiff::Span::new().try_days(days).unwrap_or_default());
        then.to_string()
    }

    /// The person's time zone.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.found().1.clone()
    }

    fn now(&self) -> Zoned {
        Timestamp::now().to_zoned(self.zone())
    }

    fn found(&self) -> &(String, TimeZone) {
        self.zone.get_or_init(|| {
            let from_variable = self.tz.as_deref().and_then(|tz| self.zone_of_variable(tz));
            from_variable.or_else(|| self.zone_of_system()).unwrap_or_else(|| (UNKNOWN.to_owned(), TimeZone::UTC))
        })
    }

    /// `TZ` holds a name, a path, both perhaps after a colon, or a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    fn zone_of_variable(&self, tz: &str) -> Option<(String, TimeZone)> {
        let name = tz.strip_prefix(':').unwrap_or(tz);
        let by_name = match name.strip_prefix('/') {
            Some(_) => load(zone_name(Path::new(name)).unwrap_or(UNKNOWN), Path::new(name)),
            None => self.zone_named(name),
        };
        by_name.or_else(|| Some((UNKNOWN.to_owned(), TimeZone::posix(name).ok()?)))
    }

    fn zone_of_system(&self) -> Option<(String, TimeZone)> {
        let localtime = self.root.join("etc/localtime");
        if let Some(zone) = fs::canonicalize(&localtime).ok().and_then(|path| load(zone_name(&path)?, &path)) {
            return Some(zone);
        }
        let named = fs::read_to_string(self.root.join("etc/timezone")).ok();
        named.and_then(|name| self.zone_named(name.trim())).or_else(|| load(UNKNOWN, &localtime))
    }

    fn zone_named(&self, name: &str) -> Option<(String, TimeZone)> {
        let plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !plain {
            return None;
        }
        load(name, &self.root.join("usr/share/zoneinfo").join(name))
    }
}

/// Reads a file of the zone database.
fn load(name: &str, path: &Path) -> Option<(String, TimeZone)> {
    let zone = TimeZone::tzif(name, &fs::read(path).ok()?).ok()?;
    Some((name.to_owned(), zone))
}

/// The name in the path of a zone's file.
fn zone_name(path: &Path) -> Option<&str> {
    let (_, name) = path.to_str()?.split_once("/zoneinfo/")?;
    Some(name.strip_prefix("posix/").unwrap_or(name))
}

impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn local_date(&self) -> String {
        self.now().strftime("%Y-%m-%d").to_string()
    }

    fn time_zone(&self) -> String {
        self.found().0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(tz: Option<&str>, root: &Path) -> SystemClock {
        SystemClock { tz: tz.map(str::to_owned), root: root.to_owned(), zone: OnceLock::new() }
    }

    /// A zone file of version 1 with a single offset.
    fn zone_file(offset: i32, abbreviation: &str) -> Vec<u8> {
        let mut bytes = b"TZif".to_vec();
        bytes.resize(20, 0);
        for count in [0, 0, 0, 0, 1, u32::try_from(abbreviation.len() + 1).unwrap()] {
            bytes.extend(count.to_be_bytes());
        }
        bytes.extend(offset.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(abbreviation.as_bytes());
        bytes.push(0);
        bytes
    }

    fn offset_hours(clock: &SystemClock) -> i32 {
        clock.now().offset().seconds() / 3600
    }

    #[test]
    fn the_zone_is_found_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let zones = dir.path().join("usr/share/zoneinfo");
        fs::create_dir_all(zones.join("Europe")).unwrap();
        fs::create_dir_all(dir.path().join("etc")).unwrap();
        fs::write(zones.join("Europe/Far"), zone_file(9 * 3600, "FAR")).unwrap();
        fs::write(zones.join("Near"), zone_file(2 * 3600, "NEA")).unwrap();
        let path = zones.join("Near");
        let by_path = format!(":{}", path.display());
        for (tz, name, hours) in [
            (Some("Europe/Far"), "Europe/Far", 9),
            (Some(":Near"), "Near", 2),
            (Some(by_path.as_str()), "Near", 2),
            (Some("XYZ-4"), UNKNOWN, 4),
            (Some("No/Such"), UNKNOWN, 0),
            (Some("../etc/passwd"), UNKNOWN, 0),
            (None, UNKNOWN, 0),
        ] {
            let clock = clock(tz, dir.path());
            assert_eq!((clock.time_zone().as_str(), offset_hours(&clock)), (name, hours), "{tz:?}");
        }
        fs::write(dir.path().join("etc/timezone"), "Europe/Far\n").unwrap();
        assert_eq!(clock(None, dir.path()).time_zone(), "Europe/Far");
        std::os::unix::fs::symlink(&path, dir.path().join("etc/localtime")).unwrap();
        assert_eq!(clock(None, dir.path()).time_zone(), "Near");
        assert_eq!(clock(Some(""), dir.path()).time_zone(), "Near");
    }

    #[test]
    fn dates_are_local_and_in_form() {
        let utc = clock(Some("UTC0"), Path::new("/nowhere"));
        let stamp = crate::text::time::rfc3339(utc.unix_ms());
        let (now, date) = (utc.local_now(), utc.local_date());
        assert_eq!((now.len(), date.len()), (19, 10));
        assert!(now.starts_with(&date));
        assert!(stamp[..10] <= *date, "{stamp} is not after {date}");
        let shape: String = now.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00-00-00");
    }
}
