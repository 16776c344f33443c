//! `hone evolve schedule`: has the system's timer run `hone evolve run --all`.
//!
//! The person's own timer, never the system's: a systemd user timer, else a line of the crontab; a launchd agent on macOS.

use clap::{Args, Subcommand};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::units;
use crate::cli::terminal;
use crate::config::Environment;
use crate::config::home::{self, Home};
use crate::exec::{Launch, Sessions, Vars};
use crate::protocol::{ErrorKind, UserError};

/// `hone evolve schedule …`
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Have turns reviewed by a timer
    Install(Install),
    /// Take the timer away again
    Remove,
    /// Show the timer
    Show,
}

/// `hone evolve schedule install …`
#[derive(Debug, Args)]
pub struct Install {
    /// How many hours lie between two reviews
    #[arg(long, default_value_t = 6, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=24))]
    pub every: u32,
}

/// The timers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Systemd,
    Launchd,
    Cron,
}

/// What installing needs to know.
struct Place {
    program: String,
    home: String,
    user: PathBuf,
    config: PathBuf,
    vars: Arc<Vars>,
    processes: Sessions,
}

/// Does what was asked and returns the exit code.
///
/// # Errors
/// There is no timer here, or it cannot be set.
pub fn run(command: &ScheduleCommand) -> Result<u8, UserError> {
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        UserError::new(ErrorKind::Failed, format!("the operating system gives no event queue: {error}"))
    })?;
    executor.block_on(async {
        let place = Place::find()?;
        let done = match command {
            ScheduleCommand::Install(install) => place.install(install.every).await,
            ScheduleCommand::Remove => place.remove().await,
            ScheduleCommand::Show => Ok(place.show().await),
        };
        place.processes.shutdown().await;
        terminal::print(&format!("{}\n", done?));
        Ok(0)
    })
}

impl Place {
    fn find() -> Result<Self, UserError> {
        let env = Environment::capture();
        let found = Home::find(&env)?;
        let user = found.user().map(Path::to_owned).ok_or_else(|| {
            UserError::new(ErrorKind::Usage, "cannot tell where your home folder is").hint("set HOME")
        })?;
        let program = home::program().map_err(|error| {
            UserError::new(ErrorKind::Failed, format!("cannot tell where this program is: {error}"))
        })?;
        let config = env.get_os("XDG_CONFIG_HOME").map_or_else(|| user.join(".config"), PathBuf::from);
        let vars = env.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self {
            program: program.display().to_string(),
            home: found.dir().display().to_string(),
            user,
            config,
            vars: Arc::new(vars),
            processes: Sessions::new(),
        })
    }

    async fn timer(&self) -> Timer {
        if cfg!(target_os = "macos") {
            Timer::Launchd
        } else if self.call(&["systemctl", "--user", "show-environment"]).await.is_ok() {
            Timer::Systemd
        } else {
            Timer::Cron
        }
    }

    async fn install(&self, hours: u32) -> Result<String, UserError> {
        match self.timer().await {
            Timer::Systemd => {
                write(&self.unit("service"), &units::service(&self.program, &self.home))?;
                write(&self.unit("timer"), &units::timer(hours))?;
                self.call(&["systemctl", "--user", "daemon-reload"]).await?;
                let name = format!("{}.timer", units::NAME);
                self.call(&["systemctl", "--user", "enable", "--now", &name]).await?;
            }
            Timer::Launchd => {
                let file = self.agent();
                write(&file, &units::launchd(&self.program, &self.home, hours))?;
                let file = file.display().to_string();
                // One that is loaded already is loaded anew.
                self.call(&["launchctl", "unload", &file]).await.ok();
                self.call(&["launchctl", "load", "-w", &file]).await?;
            }
            Timer::Cron => {
                let line = units::cron_line(&self.program, &self.home, hours);
                self.set_crontab(Some(&line)).await?;
            }
        }
        Ok(self.show().await)
    }

    async fn remove(&self) -> Result<String, UserError> {
        let mut gone = Vec::new();
        if self.unit("timer").exists() {
            let name = format!("{}.timer", units::NAME);
            // The files go even where no systemd runs to be told.
            self.call(&["systemctl", "--user", "disable", "--now", &name]).await.ok();
            remove(&self.unit("timer"))?;
            remove(&self.unit("service"))?;
            self.call(&["systemctl", "--user", "daemon-reload"]).await.ok();
            gone.push("the systemd timer");
        }
        if self.agent().exists() {
            self.call(&["launchctl", "unload", "-w", &self.agent().display().to_string()]).await.ok();
            remove(&self.agent())?;
            gone.push("the launchd agent");
        }
        if self.cron_line().await.is_some() {
            self.set_crontab(None).await?;
            gone.push("the line of the crontab");
        }
        Ok(if gone.is_empty() { "There is no timer.".to_owned() } else { format!("Removed {}.", gone.join(" and ")) })
    }

    async fn show(&self) -> String {
        for file in [self.unit("timer"), self.agent()] {
            if let Ok(text) = fs::read_to_string(&file) {
                return format!("Turns are reviewed by {}:\n\n{}", file.display(), text.trim_end());
            }
        }
        match self.cron_line().await {
            Some(line) => format!("Turns are reviewed by a line of your crontab:\n\n{line}"),
            None => "There is no timer. `hone evolve schedule install` makes one.".to_owned(),
        }
    }

    fn unit(&self, kind: &str) -> PathBuf {
        self.config.join("systemd/user").join(format!("{}.{kind}", units::NAME))
    }

    fn agent(&self) -> PathBuf {
        self.user.join("Library/LaunchAgents").join(format!("{}.plist", units::LABEL))
    }

    async fn cron_line(&self) -> Option<String> {
        let present = self.call(&["crontab", "-l"]).await.ok()?;
        present.lines().find(|line| line.ends_with(&format!("# {}", units::NAME))).map(str::to_owned)
    }

    async fn set_crontab(&self, line: Option<&str>) -> Result<(), UserError> {
        // A person without a crontab has an empty one; cron says so with an error.
        let present = self.call(&["crontab", "-l"]).await.unwrap_or_default();
        let file = tempfile::NamedTempFile::new().and_then(|file| {
            fs::write(file.path(), units::crontab(&present, line))?;
            Ok(file)
        });
        let file = file
            .map_err(|error| UserError::new(ErrorKind::Storage, format!("cannot write a file for crontab: {error}")))?;
        self.call(&["crontab", &file.path().display().to_string()]).await.map(drop)
    }

    /// Runs a program of the system and returns what it printed.
    async fn call(&self, argv: &[&str]) -> Result<String, UserError> {
        let launch = Launch {
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            cwd: self.user.clone(),
            vars: Arc::clone(&self.vars),
            thread_id: String::new(),
            call_id: String::new(),
            tty: false,
            sandbox: None,
        };
        let failed = |why: String| {
            UserError::new(ErrorKind::Failed, format!("`{}` did not work: {why}", argv.join(" ")))
                .hint("have `hone evolve run --all` run by a timer of your own")
        };
        let running = self.processes.start(&launch).map_err(|error| failed(error.to_string()))?;
        running.process().ended().await;
        let (printed, exit) = running.process().take();
        let printed = printed.text();
        if exit == Some(0) { Ok(printed) } else { Err(failed(printed.trim().to_owned())) }
    }
}

fn write(path: &Path, text: &str) -> Result<(), UserError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(|error| {
        UserError::new(ErrorKind::Storage, format!("cannot write {}: {error}", path.display()))
            .hint("see that the folder is yours")
    })
}

fn remove(path: &Path) -> Result<(), UserError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(UserError::new(ErrorKind::Storage, format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}
