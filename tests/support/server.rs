//! A real HTTP server on the loopback that does, byte for byte, what a script says: drip, stall, cut, reset.
//!
//! It runs in threads of its own, so that synchronous and asynchronous tests can use it alike. Tests wait for what happened
//! ([`FakeServer::wait_for_requests`], [`Gate`]), never for time to pass.

use serde_json::Value;
use socket2::SockRef;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::speech;

/// The longest anything here waits before it calls the test failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing a script does.
#[derive(Clone)]
pub enum Step {
    /// Writes these bytes, and flushes them.
    Write(Vec<u8>),
    /// Waits until the test opens the gate.
    Wait(Gate),
    /// Waits. For tests whose subject is time itself.
    Pause(Duration),
    /// Says nothing more until the client goes away.
    HoldOpen,
    /// Breaks the connection with a reset.
    Reset,
    /// Closes the connection in good order.
    Close,
}

/// Something a script waits for.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets the script go on.
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap());
    }
}

/// The answer to one request.
#[derive(Clone)]
pub struct Reply(pub Vec<Step>);

impl Reply {
    /// Exactly these bytes, then the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self(vec![Step::Write(bytes.into()), Step::Close])
    }

    /// Events, in a body of known length; the connection lives on.
    pub fn sse(events: &[Value]) -> Self {
        Self::whole(200, &[("content-type", "text/event-stream")], &speech::sse(events))
    }

    /// A status and a body of known length; the connection lives on.
    pub fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::whole(status, headers, body.as_bytes())
    }

    /// A status and a body of known length; the connection lives on.
    pub fn whole(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let length = body.len().to_string();
        let mut bytes = head(status, &[headers, &[("content-length", &length)]].concat());
        bytes.extend_from_slice(body);
        Self(vec![Step::Write(bytes)])
    }

    /// A stream whose body is `steps`, which end with the connection unless they say otherwise.
    pub fn stream(steps: Vec<Step>) -> Self {
        let head = Step::Write(head(200, &[("content-type", "text/event-stream"), ("connection", "close")]));
        Self([head].into_iter().chain(steps).chain([Step::Close]).collect())
    }

    /// A chunked stream: every piece is a chunk of its own, and the connection lives on.
    pub fn chunked(pieces: &[&[u8]]) -> Self {
        let head = head(200, &[("content-type", "text/event-stream"), ("transfer-encoding", "chunked")]);
        let chunks = pieces.iter().map(|piece| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        let steps = [head].into_iter().chain(chunks).chain([b"0\r\n\r\n".to_vec()]);
        Self(steps.map(Step::Write).collect())
    }
}

impl Reply {
    /// The same bytes, handed to the operating system at once.
    pub fn in_one_write(self) -> Self {
        let bytes = self.0.into_iter().flat_map(|step| match step {
            Step::Write(bytes) => bytes,
            _ => panic!("only writes can be joined"),
        });
        Self(vec![Step::Write(bytes.collect())])
    }
}

/// The head of an answer.
pub fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Whatever\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    (head + "\r\n").into_bytes()
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method and path.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; null when it is no JSON.
    pub body: Value,
    /// Its length in bytes.
    pub body_len: usize,
    /// Which connection it came over, from 0.
    pub connection: usize,
    /// When it was read.
    pub at: Instant,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The items of the conversation it carries.
    pub fn input(&self) -> &[Value] {
        self.body["input"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// The server. It ends when dropped.
pub struct FakeServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// What a provider's `base_url` must be.
    pub base_url: String,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    arrived: Condvar,
    stopped: AtomicBool,
    answer: Option<Box<Answer>>,
}

/// Makes up the answer to a request.
type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

struct Script {
    replies: std::collections::VecDeque<Reply>,
    repeats_last: bool,
}

impl FakeServer {
    /// Answers requests with `replies` in order, and any further one with status 599.
    pub fn start(replies: Vec<Reply>) -> Self {
        Self::run(Script { replies: replies.into(), repeats_last: false }, None)
    }

    /// Answers every request with `reply`.
    pub fn repeating(reply: Reply) -> Self {
        Self::run(Script { replies: [reply].into(), repeats_last: true }, None)
    }

    /// Answers every request with what `answer` makes of it.
    pub fn answering(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(Script { replies: [].into(), repeats_last: false }, Some(Box::new(answer)))
    }

    fn run(script: Script, answer: Option<Box<Answer>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            requests: Mutex::default(),
            arrived: Condvar::new(),
            stopped: AtomicBool::new(false),
            answer,
        });
        let server = Self { address, base_url: format!("http://{address}/v1"), shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                let stream = stream.unwrap();
                // The client may go away at any point; that is no failure of the server's.
                thread::spawn(move || drop(serve(stream, number, &shared)));
            }
        });
        server
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Takes the requests so far, so that a long test need not copy them again and again.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }

    /// The requests, once there are `count`.
    pub fn wait_for_requests(&self, count: usize) -> Vec<Request> {
        let requests = self.shared.requests.lock().unwrap();
        let (requests, timeout) =
            self.shared.arrived.wait_timeout_while(requests, PATIENCE, |requests| requests.len() < count).unwrap();
        assert!(!timeout.timed_out(), "{} of {count} requests came", requests.len());
        requests.clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(stream: TcpStream, connection: usize, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = read_request(&mut reader, connection)? {
        shared.requests.lock().unwrap().push(request.clone());
        shared.arrived.notify_all();
        let reply = match &shared.answer {
            Some(answer) => answer(&request),
            None => next_reply(shared),
        };
        for step in reply.0 {
            if !perform(step, &stream)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn next_reply(shared: &Shared) -> Reply {
    let mut script = shared.script.lock().unwrap();
    let reply = if script.repeats_last { script.replies.front().cloned() } else { script.replies.pop_front() };
    reply.unwrap_or_else(|| Reply::status(599, &[], "the script has ended"))
}

/// `false` when the connection is over.
fn perform(step: Step, mut stream: &TcpStream) -> std::io::Result<bool> {
    match step {
        Step::Write(bytes) => stream.write_all(&bytes)?,
        Step::Wait(gate) => gate.wait(),
        Step::Pause(duration) => thread::sleep(duration),
        Step::HoldOpen => {
            stream.set_read_timeout(Some(PATIENCE))?;
            while stream.read(&mut [0; 1024])? > 0 {}
            return Ok(false);
        }
        Step::Reset => {
            SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
            return Ok(false);
        }
        Step::Close => {
            stream.shutdown(std::net::Shutdown::Both)?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn read_request(reader: &mut BufReader<TcpStream>, connection: usize) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let target = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Some(Request { target, headers, body: json, body_len: length, connection, at: Instant::now() }))
}
