//! Where the attacks take place: a workspace, what is outside it, and somebody who listens.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A scratch place with listeners and a victim.
pub struct Field {
    dir: TempDir,
    tcp: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    datagrams: UnixDatagram,
    abstracted: UnixListener,
    victim: Child,
}

impl Field {
    pub fn new() -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        for folder in ["ws/sub", "ws/.git/hooks", "out/folder", "secret", "home", "tmp"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for (file, text) in
            [("ws/file", "mine"), ("ws/.git/config", "kept"), ("out/file", "kept"), ("secret/file", "secret")]
        {
            fs::write(root.join(file), text).unwrap();
        }
        std::os::unix::fs::symlink(root.join("out/file"), root.join("ws/link")).unwrap();
        std::os::unix::fs::symlink(root.join("secret"), root.join("ws/to-secret")).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let unix = UnixListener::bind(root.join("out/socket")).unwrap();
        let datagrams = UnixDatagram::bind(root.join("out/datagrams")).unwrap();
        let name = SocketAddr::from_abstract_name(root.as_os_str().as_encoded_bytes()).unwrap();
        let abstracted = UnixListener::bind_addr(&name).unwrap();
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        unix.set_nonblocking(true).unwrap();
        datagrams.set_nonblocking(true).unwrap();
        abstracted.set_nonblocking(true).unwrap();
        let victim = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
        Self { dir, tcp, udp, unix, datagrams, abstracted, victim }
    }

    pub fn root(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap()
    }

    pub fn workspace(&self) -> PathBuf {
        self.root().join("ws")
    }

    /// What the attacker says when it is started by `hone sandbox` with these options.
    pub fn attack(&self, name: &str, options: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hone"));
        self.run(&mut command, name, options)
    }

    /// The same with a program in front of `hone`.
    pub fn run(&self, command: &mut Command, name: &str, options: &[&str]) -> String {
        let root = self.root();
        for setting in ["exclude_slash_tmp=true", "exclude_tmpdir_env_var=true"] {
            command.args(["-c", &format!("sandbox_workspace_write.{setting}")]);
        }
        command.args(["-c", &format!("sandbox_denied_reads=[{:?}]", root.join("secret"))]);
        command.arg("sandbox").args(options).arg("--").args(attacker());
        command.current_dir(root.join("ws")).env("CODEX_HOME", root.join("home")).env("ATTACK", name);
        command.env("FIELD", &root).env("VICTIM", self.victim.id().to_string());
        command.env("TCP", self.tcp.local_addr().unwrap().to_string());
        command.env("UDP", self.udp.local_addr().unwrap().to_string());
        let output = command.stdin(Stdio::null()).output().unwrap();
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }

    /// Nothing outside was changed, and nobody was reached.
    pub fn assert_untouched(&self, place: &str) {
        let root = self.root();
        assert_eq!(fs::read_to_string(root.join("out/file")).unwrap(), "kept", "{place}");
        assert_eq!(names(&root.join("out")), ["datagrams", "file", "folder", "socket"], "{place}");
        assert_eq!(fs::read_to_string(root.join("ws/.git/config")).unwrap(), "kept", "{place}");
        assert_eq!(names(&root.join("ws/.git")), ["config", "hooks"], "{place}");
        assert!(names(&root.join("ws/.git/hooks")).is_empty(), "{place}");
        assert!(!root.join("ws/.codex").exists() && !root.join("ws/.agents").exists(), "{place}");
        let nobody = |kind: Option<ErrorKind>| assert_eq!(kind, Some(ErrorKind::WouldBlock), "{place}: somebody came");
        nobody(self.tcp.accept().err().map(|error| error.kind()));
        nobody(self.udp.recv(&mut [0; 8]).err().map(|error| error.kind()));
        nobody(self.unix.accept().err().map(|error| error.kind()));
        nobody(self.datagrams.recv(&mut [0; 8]).err().map(|error| error.kind()));
        nobody(self.abstracted.accept().err().map(|error| error.kind()));
        assert!(Path::new(&format!("/proc/{}", self.victim.id())).exists(), "{place}");
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.victim.kill().unwrap();
        self.victim.wait().unwrap();
    }
}

/// This program as the attacker.
pub fn attacker() -> [String; 5] {
    let own = std::env::current_exe().unwrap().display().to_string();
    [own, "--exact".into(), "attacker".into(), "--ignored".into(), "--nocapture".into()]
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
