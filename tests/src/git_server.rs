//! Git hosts on this machine: `git http-backend` behind a small web server, and `git daemon`.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::place::Place;

/// How long a daemon may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// What a web host is like.
#[derive(Debug, Clone, Default)]
pub struct Habits {
    /// Whether something before it drops headers that it does not know, so that only the first version of git's
    /// protocol is spoken.
    pub knows_only_the_old_protocol: bool,
    /// `name:password` in base64, without which nothing is answered.
    pub credentials: Option<String>,
}

/// The repositories below a folder, over HTTP. Serves until the process ends.
#[derive(Debug)]
pub struct WebHost {
    /// Where it listens.
    pub address: SocketAddr,
}

/// What a request asks the backend for.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl WebHost {
    /// Serves the repositories below `root`, to be written to by everybody.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(root: &Path, habits: Habits) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new((root.to_owned(), habits));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // Whoever hangs up early is no concern of ours.
                std::thread::spawn(move || drop(serve(stream, &shared.0, &shared.1)));
            }
        });
        Ok(Self { address })
    }
}

fn serve(mut stream: TcpStream, root: &Path, habits: &Habits) -> io::Result<()> {
    let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
    let is_known = habits.credentials.as_ref().is_none_or(|credentials| {
        request.header("authorization") == Some(&format!("Basic {credentials}"))
    });
    if !is_known {
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                      Content-Length: 0\r\nConnection: close\r\n\r\n";
        return stream.write_all(answer.as_bytes());
    }
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", root)
        // Somebody who may write.
        .env("REMOTE_USER", "somebody")
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default());
    if let Some(encoding) = request.header("content-encoding") {
        backend.env("HTTP_CONTENT_ENCODING", encoding);
    }
    let version = request.header("git-protocol");
    if let Some(version) = version.filter(|_| !habits.knows_only_the_old_protocol) {
        backend.env("GIT_PROTOCOL", version);
    }
    let piped = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = piped.spawn()?;
    let (mut input, output) = (child.stdin.take(), child.stdout.take());
    let body = request.body;
    let writer = std::thread::spawn(move || {
        // The backend may have had enough.
        input.as_mut().map(|input| input.write_all(&body).ok())
    });
    let answered = output.map_or(Ok(()), |output| answer(&mut stream, BufReader::new(output)));
    let _ = (writer.join(), child.wait());
    answered
}

/// Passes on what a CGI program says (RFC 3875, section 6).
fn answer(stream: &mut TcpStream, mut from: impl io::BufRead) -> io::Result<()> {
    let (mut status, mut head) = ("200 OK".to_owned(), String::new());
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let line = line.trim_end();
        match line.split_once(": ") {
            Some(("Status", text)) => text.clone_into(&mut status),
            Some(_) => head.push_str(&format!("{line}\r\n")),
            None => break,
        }
    }
    write!(stream, "HTTP/1.1 {status}\r\n{head}Connection: close\r\n\r\n")?;
    io::copy(&mut from, stream)?;
    stream.flush()
}

impl Request {
    /// `None` when the other side hangs up.
    fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            request.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        if request.header("expect").is_some() {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.read_body(&mut reader)?;
        Ok(Some(request))
    }

    fn read_body(&mut self, reader: &mut impl io::BufRead) -> io::Result<()> {
        let length = self.header("content-length").and_then(|text| text.parse().ok());
        if let Some(length) = length {
            self.body = vec![0; length];
            return reader.read_exact(&mut self.body);
        }
        if self.header("transfer-encoding") != Some("chunked") {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            reader.by_ref().take(length).read_to_end(&mut self.body)?;
            reader.read_line(&mut line)?;
            if length == 0 {
                return Ok(());
            }
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The repositories below a folder, over git's own protocol. Ends when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    home: PathBuf,
}

impl Daemon {
    /// Serves the repositories below `root`, to be written to by everybody.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, root: &Path) -> anyhow::Result<Self> {
        // Between the search for a free port and its use somebody else may take it.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
            // `git daemon` would start this and be killed in its place.
            let program = Path::new(place.git(root, &["--exec-path"])?.trim()).join("git-daemon");
            let mut command = place.tool(program, root);
            command
                .args(["--reuseaddr", "--listen=127.0.0.1", "--export-all"])
                .args(["--enable=receive-pack", "--max-connections=0"])
                .arg(format!("--port={}", address.port()))
                .arg(format!("--base-path={}", root.display()))
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let child = command.spawn().context("cannot run git daemon")?;
            let mut daemon = Self { address, child, home: root.to_owned() };
            if daemon.is_up()? {
                return Ok(daemon);
            }
        }
        bail!("git daemon does not start")
    }

    fn is_up(&mut self) -> anyhow::Result<bool> {
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline && self.child.try_wait()?.is_none() {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(false)
    }

    /// The folder that it serves.
    pub fn root(&self) -> &Path {
        &self.home
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
