//! Ending a process with everything that came from it.
//!
//! A process group is not enough: `setsid` leaves it, and a daemon leaves its parent too. On Linux this program adopts
//! the orphans among its descendants ([`super::os::adopt_orphans`]), so everything a command ever started stays below us in
//! the process tree, and a mark in its environment tells which command it came from. Elsewhere the group has to do.

use super::os;

/// Kills the groups of `leaders` and whatever descends from them or carries `mark` in its environment (`NAME=value`, or a
/// beginning of it). `leftovers` are groups whose leader is gone. Their numbers may mean something else by now, so that
/// here only our own descendants among them are killed.
#[cfg(target_os = "linux")]
pub fn kill(leaders: &[i32], leftovers: &[i32], mark: &str) {
    let groups = [leaders, leftovers].concat();
    // A process that is forked while we look is missed by this look, and found by the next one.
    let mut killed = std::collections::HashSet::new();
    loop {
        let found: Vec<i32> = linux::members(&groups, mark).into_iter().filter(|pid| !killed.contains(pid)).collect();
        for leader in leaders {
            os::signal_group(*leader, libc::SIGKILL);
        }
        for pid in &found {
            os::signal_process(*pid, libc::SIGKILL);
        }
        if found.is_empty() {
            return;
        }
        killed.extend(found);
    }
}

/// Kills the groups of `leaders` and the `leftovers`.
#[cfg(not(target_os = "linux"))]
pub fn kill(leaders: &[i32], leftovers: &[i32], _mark: &str) {
    for group in leaders.iter().chain(leftovers) {
        os::signal_group(*group, libc::SIGKILL);
    }
}

/// Whether anything that this process started may still be there. Cheap.
pub fn anything_left() -> bool {
    #[cfg(target_os = "linux")]
    return os::has_children();
    #[cfg(not(target_os = "linux"))]
    return true;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{HashMap, HashSet};
    use std::fs;

    /// A line of the process table.
    struct Row {
        pid: i32,
        parent: i32,
        group: i32,
    }

    /// The living descendants of ours that are in one of `groups` or carry `mark`, or descend from one that does.
    pub fn members(groups: &[i32], mark: &str) -> HashSet<i32> {
        let mut children: HashMap<i32, Vec<Row>> = HashMap::new();
        for row in table() {
            children.entry(row.parent).or_default().push(row);
        }
        let mut members = HashSet::new();
        let mut open: Vec<(i32, bool)> =
            i32::try_from(std::process::id()).map(|own| (own, false)).into_iter().collect();
        while let Some((parent, inherited)) = open.pop() {
            for row in children.remove(&parent).unwrap_or_default() {
                let member = inherited || groups.contains(&row.group) || carries(row.pid, mark);
                if member {
                    members.insert(row.pid);
                }
                open.push((row.pid, member));
            }
        }
        members
    }

    /// Every process that lives. Processes come and go while this reads; those are left out.
    fn table() -> impl Iterator<Item = Row> {
        fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            row(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
        })
    }

    /// Reads `/proc/PID/stat`: `pid (name) state parent group …`, where the name may hold spaces and brackets.
    fn row(pid: i32, stat: &str) -> Option<Row> {
        let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
        let state = fields.next()?;
        let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (state != "Z" && state != "X").then_some(Row { pid, parent, group })
    }

    fn carries(pid: i32, mark: &str) -> bool {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|variable| variable.starts_with(mark.as_bytes()))
    }

    #[cfg(test)]
    mod tests {
        use super::row;

        #[test]
        fn a_process_may_be_called_anything() {
            let read = row(7, "7 (a) Z (b) 1) S 5 6 6 0 -1").unwrap();
            assert_eq!((read.pid, read.parent, read.group), (7, 5, 6));
            assert!(row(7, "7 (gone) Z 5 6 6 0 -1").is_none());
            assert!(row(7, "").is_none());
        }
    }
}
