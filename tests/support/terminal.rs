//! A pseudo-terminal with a program in it: keys go in, and what comes out is read as the screen a person sees.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// The longest anything here waits before it calls the test failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program in a terminal. It is killed when dropped.
pub struct Terminal {
    keys: File,
    child: Child,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

struct Seen {
    parser: vt100::Parser,
    /// Everything that was written.
    raw: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Starts `command` in a terminal of this size.
    pub fn start(mut command: Command, rows: u16, columns: u16) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, size(rows, columns)).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options().read(true).write(true).open(Path::new(name.to_str().unwrap())).unwrap();
        command.stdin(theirs.try_clone().unwrap()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
        let child = command.spawn().unwrap();
        drop(command);
        let keys = File::from(ours);
        let parser = vt100::Parser::new(rows, columns, 1000);
        let seen = Arc::new((Mutex::new(Seen { parser, raw: Vec::new(), ended: false }), Condvar::new()));
        let (mut output, shared) = (keys.try_clone().unwrap(), Arc::clone(&seen));
        thread::spawn(move || {
            let mut bytes = [0; 8192];
            loop {
                let count = output.read(&mut bytes).unwrap_or(0);
                let mut seen = shared.0.lock().unwrap();
                seen.parser.process(&bytes[..count]);
                seen.raw.extend_from_slice(&bytes[..count]);
                seen.ended = count == 0;
                shared.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { keys, child, seen }
    }

    /// The number of the program's process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// The screen now.
    pub fn screen(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// Waits until the screen shows `text`, and returns the screen.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("`{text}` is shown"), |screen| screen.contains(text))
    }

    /// Waits until the screen is as `test` wants it, and returns the screen.
    pub fn wait_until(&self, what: &str, test: impl Fn(&str) -> bool) -> String {
        let seen = self.seen.0.lock().unwrap();
        let waiting = |seen: &mut Seen| !test(&seen.parser.screen().contents()) && !seen.ended;
        let (seen, _) = self.seen.1.wait_timeout_while(seen, PATIENCE, waiting).unwrap();
        let screen = seen.parser.screen().contents();
        assert!(test(&screen), "waited in vain until {what}:\n{screen}");
        screen
    }

    /// Waits until `bytes` were written at some time.
    pub fn wait_for_bytes(&self, bytes: &str) {
        let holds = |seen: &Seen| seen.raw.windows(bytes.len()).any(|window| window == bytes.as_bytes());
        let seen = self.seen.0.lock().unwrap();
        let (seen, _) = self.seen.1.wait_timeout_while(seen, PATIENCE, |seen| !holds(seen)).unwrap();
        assert!(holds(&seen), "{bytes:?} was not written");
    }

    /// Whether `bytes` were written at some time.
    pub fn has_written(&self, bytes: &str) -> bool {
        self.seen.0.lock().unwrap().raw.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    /// Gives the terminal another size.
    pub fn resize(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.keys, size(rows, columns)).unwrap();
        self.seen.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        self.signal(Signal::WINCH);
    }

    /// Kills the program as nothing can prepare for.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the program ends by itself.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the program goes on:\n{}", self.screen());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
