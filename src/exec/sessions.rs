//! The processes that run, by the numbers the model knows them by.
//!
//! A process is in the store from its start until somebody was told of its end. The store holds 64: for one more, the one
//! that was used longest ago goes. When the store goes, every process goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

use super::process::{Leftovers, Process, lock};
use super::spawn::{Launch, SpawnError, Standing, spawn};
use super::{os, tree};

/// How many processes are kept.
const CAPACITY: usize = 64;

/// How many of those used last are never made room with.
const PROTECTED: usize = 8;

/// How long [`Sessions::shutdown`] waits for killed processes to be gone.
const SHUTDOWN: Duration = Duration::from_millis(200);

/// The variable that tells which store, and which process of it, a process comes from.
const MARK: &str = "HONE_PROCESS";

/// The store.
pub struct Sessions {
    /// What the marks of this store's processes begin with.
    name: String,
    started: AtomicU64,
    standing: Standing,
    table: Mutex<Table>,
    leftovers: Arc<Leftovers>,
}

/// A process that was just started. Dropped, it takes the process along: whoever wants it to go on says so with
/// [`Running::keep`].
pub struct Running<'a> {
    sessions: &'a Sessions,
    id: i32,
    process: Arc<Process>,
    kept: bool,
}

/// What a list shows of a process.
#[derive(Clone, Debug)]
pub struct RunningProcess {
    /// Its number.
    pub id: i32,
    /// What it runs.
    pub command: String,
    /// How long it has run.
    pub runtime: Duration,
}

#[derive(Default)]
struct Table {
    /// Used longest ago first.
    entries: Vec<(i32, Arc<Process>)>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::new()
    }
}

impl Sessions {
    /// An empty store. From now on this program is the parent of its orphaned descendants (on Linux), so that the store
    /// can end them.
    #[must_use]
    pub fn new() -> Self {
        os::adopt_orphans();
        Self {
            name: Uuid::now_v7().simple().to_string(),
            started: AtomicU64::new(0),
            standing: Standing::of_children(),
            table: Mutex::default(),
            leftovers: Arc::default(),
        }
    }

    /// Starts a process and stores it. Needs a tokio runtime.
    ///
    /// # Errors
    /// It could not be started.
    pub fn start(&self, launch: &Launch) -> Result<Running<'_>, SpawnError> {
        self.leftovers.reap();
        let mark = format!("{}.{}", self.name, self.started.fetch_add(1, Ordering::Relaxed));
        let spawned = spawn(launch, self.standing, (MARK, &mark))?;
        let process = Process::watch(spawned, launch, format!("{MARK}={mark}"), Arc::clone(&self.leftovers));
        let mut table = lock(&self.table);
        let evicted = table.make_room();
        let id = table.free_id();
        table.entries.push((id, Arc::clone(&process)));
        drop(table);
        if let Some(evicted) = evicted {
            evicted.kill();
        }
        Ok(Running { sessions: self, id, process, kept: false })
    }

    /// The process of a number, which is thereby the one used last.
    pub fn find(&self, id: i32) -> Option<Arc<Process>> {
        let mut table = lock(&self.table);
        let at = table.entries.iter().position(|entry| entry.0 == id)?;
        table.entries[at..].rotate_left(1);
        table.entries.last().map(|entry| Arc::clone(&entry.1))
    }

    /// Removes a process whose end was told. What it left running in the background stays.
    pub fn forget(&self, id: i32) {
        lock(&self.table).entries.retain(|entry| entry.0 != id);
    }

    /// Kills a process and all that came from it, and removes it.
    pub fn kill(&self, id: i32) {
        let found = self.find(id);
        self.forget(id);
        if let Some(process) = found {
            process.kill();
        }
    }

    /// The processes that run now, by their numbers.
    #[must_use]
    pub fn running(&self) -> Vec<RunningProcess> {
        let table = lock(&self.table);
        let running = table.entries.iter().filter(|(_, process)| process.exit_code().is_none());
        let describe = |(id, process): &(i32, Arc<Process>)| RunningProcess {
            id: *id,
            command: process.command().to_owned(),
            runtime: process.age(),
        };
        running.map(describe).collect()
    }

    /// How many processes are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.table).entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends everything this store ever started, background processes included, and waits until it is gone, though not for
    /// long.
    pub async fn shutdown(&self) {
        let processes = self.kill_all();
        let gone = async {
            for process in processes {
                process.ended().await;
            }
        };
        // What is late has been killed all the same.
        let _late = tokio::time::timeout(SHUTDOWN, gone).await;
    }

    fn kill_all(&self) -> Vec<Arc<Process>> {
        let processes: Vec<_> = lock(&self.table).entries.drain(..).map(|entry| entry.1).collect();
        self.leftovers.reap();
        if tree::anything_left() {
            let leaders: Vec<i32> = processes.iter().filter_map(|process| process.leader()).collect();
            tree::kill(&leaders, &self.leftovers.groups(), &format!("{MARK}={}.", self.name));
        }
        processes
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.kill_all();
    }
}

impl Running<'_> {
    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Lets the process go on. Returns its number.
    pub fn keep(mut self) -> i32 {
        self.kept = true;
        self.id
    }

    /// Kills the process and all that came from it, what it left in the background included.
    pub fn kill(self) {
        self.sessions.kill(self.id);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        match self.process.exit_code() {
            _ if self.kept => {}
            Some(_) => self.sessions.forget(self.id),
            None => self.sessions.kill(self.id),
        }
    }
}

impl Table {
    fn make_room(&mut self) -> Option<Arc<Process>> {
        let exited: Vec<bool> = self.entries.iter().map(|entry| entry.1.exit_code().is_some()).collect();
        victim(&exited).map(|at| self.entries.remove(at).1)
    }

    /// A number that no stored process has, of those Codex gives.
    fn free_id(&self) -> i32 {
        loop {
            let id = 1000 + (Uuid::now_v7().as_u128() % 99_000) as i32;
            if self.entries.iter().all(|entry| entry.0 != id) {
                return id;
            }
        }
    }
}

/// Which of the stored processes makes room for another, the one used longest ago being the first: an exited one if
/// possible.
fn victim(exited: &[bool]) -> Option<usize> {
    if exited.len() < CAPACITY {
        return None;
    }
    let open_to_it = &exited[..exited.len() - PROTECTED];
    Some(open_to_it.iter().position(|exited| *exited).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_used_longest_ago_makes_room_and_an_exited_one_before_it() {
        let mut exited = vec![false; CAPACITY - 1];
        assert_eq!(victim(&exited), None);
        exited.push(true);
        assert_eq!(victim(&exited), Some(0), "the last {PROTECTED} are protected");
        exited[5] = true;
        assert_eq!(victim(&exited), Some(5));
    }
}
