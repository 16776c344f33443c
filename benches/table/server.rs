//! A model server on the loopback that costs as little as possible: answers are made before the clock starts, requests are read
//! and not parsed, and what is kept of them is when they came and how long they were.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::speech;

/// A whole HTTP answer.
pub type Answer = Arc<[u8]>;

/// An answer of these events.
pub fn answer(events: &[Value]) -> Answer {
    let body = speech::sse(events);
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n", body.len())
            .into_bytes();
    bytes.extend(body);
    bytes.into()
}

/// Runs until the program ends.
pub struct Server {
    /// What a provider's `base_url` must be.
    pub base_url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    answers: Vec<Answer>,
    /// The time between two events of an answer that streams.
    pace: Option<Duration>,
    exchanges: Vec<Exchange>,
    last_body: Vec<u8>,
}

/// One request and its answer.
#[derive(Clone, Copy)]
pub struct Exchange {
    /// When the request's first line was there.
    pub asked: Instant,
    /// When the answer was written.
    pub answered: Instant,
    /// The length of the request's body.
    pub bytes: usize,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = Arc::<Mutex<Shared>>::default();
        let server = Self { base_url, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                // A client that goes away takes its connection along; whether it should have is the scenario's to say.
                thread::spawn(move || drop(serve(&stream.unwrap(), &shared)));
            }
        });
        server
    }

    /// Forgets what was asked, and answers with `answers` in order from now on; the last one is said again and again.
    pub fn script(&self, answers: &[Answer]) {
        *lock(&self.shared) = Shared { answers: answers.to_vec(), ..Shared::default() };
    }

    /// Says the answers of the present script event by event, one every `pace`.
    pub fn stream(&self, pace: Duration) {
        lock(&self.shared).pace = Some(pace);
    }

    /// What was asked since the script began.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared).exchanges.clone()
    }

    /// How often `needle` is in the last request.
    pub fn count_in_last_request(&self, needle: &str) -> usize {
        memchr::memmem::find_iter(&lock(&self.shared).last_body, needle).count()
    }
}

/// How long the client worked between two requests: from our last byte to its first one.
pub fn gaps(exchanges: &[Exchange]) -> Vec<Duration> {
    exchanges.windows(2).map(|pair| pair[1].asked.saturating_duration_since(pair[0].answered)).collect()
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap()
}

fn serve(mut stream: &TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 18, stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let asked = Instant::now();
        let body = read_body(&mut reader)?;
        let answer = {
            let mut shared = lock(shared);
            let bytes = body.len();
            shared.last_body = body;
            shared.exchanges.push(Exchange { asked, answered: asked, bytes });
            let number = shared.exchanges.len() - 1;
            (number, Arc::clone(&shared.answers[number.min(shared.answers.len() - 1)]), shared.pace)
        };
        match answer.2 {
            None => stream.write_all(&answer.1)?,
            Some(pace) => write_slowly(stream, &answer.1, pace)?,
        }
        lock(shared).exchanges[answer.0].answered = Instant::now();
        line.clear();
    }
    Ok(())
}

/// Writes the parts of `answer` that end with an empty line, each at its time.
fn write_slowly(mut stream: &TcpStream, answer: &[u8], pace: Duration) -> std::io::Result<()> {
    let begin = Instant::now();
    let (mut written, mut due) = (0, Duration::ZERO);
    for end in memchr::memmem::find_iter(answer, "\n\n").map(|at| at + 2).chain([answer.len()]) {
        thread::sleep(due.saturating_sub(begin.elapsed()));
        stream.write_all(&answer[written..end])?;
        (written, due) = (end, due + pace);
    }
    Ok(())
}

/// Reads the headers and then the body.
fn read_body(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut length = 0;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}
