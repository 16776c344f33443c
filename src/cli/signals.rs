//! Ctrl-C and its kin.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask the program to stop: Ctrl-C, a hang-up of the terminal, and a polite `kill`.
pub struct Interrupts {
    int: Signal,
    term: Signal,
    hup: Signal,
    /// Comes with a write beyond the limit of a file's size, which fails and says so. By default it would end the program.
    _file_size: Signal,
}

impl Interrupts {
    /// Takes the signals over from the operating system's default.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            int: signal(SignalKind::interrupt())?,
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            _file_size: signal(SignalKind::from_raw(libc::SIGXFSZ))?,
        })
    }

    /// Waits for the next one and says whether it was Ctrl-C, rather than a wish that the program ends.
    pub async fn next_is_interrupt(&mut self) -> bool {
        tokio::select! {
            _ = self.int.recv() => true,
            _ = self.term.recv() => false,
            _ = self.hup.recv() => false,
        }
    }

    /// Returns at the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.int.recv() => {}
            _ = self.term.recv() => {}
            _ = self.hup.recv() => {}
        }
    }
}
