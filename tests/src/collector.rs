//! [`Collector`]: a running `pony-collector`, and what clients say to it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use pony_formats::xmlrpc::{Response, read_response, write_call};
use pony_formats::{ClientInfo, Limits, ResultKey, Step, Submission, Tagset, Value};

use crate::place::Place;

/// How long an answer is waited for: only so that a fault in the collector ends the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// A collector that listens. Killed when dropped.
#[derive(Debug)]
pub struct Collector {
    child: Child,
    /// `http://127.0.0.1:PORT/`.
    pub url: String,
    /// How long it took to be ready.
    pub start: Duration,
}

/// What a collector answers to a submission.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The permanent name of the result.
    pub key: ResultKey,
    /// The right to add files to it.
    pub auth_key: String,
}

impl Collector {
    /// Starts a collector on `results.git` in `home` and a free port, and waits until it listens.
    ///
    /// # Errors
    /// How it ended instead.
    pub fn start(place: &Place, home: &Path) -> anyhow::Result<Self> {
        let mut command = place.command("pony-collector", home);
        command.args(["serve", "--repo", "results.git", "--listen", "127.0.0.1:0"]);
        Self::start_as(command, home)
    }

    /// Starts a collector with a command of the caller's, and waits until it listens.
    ///
    /// # Errors
    /// How it ended instead.
    pub fn start_as(mut command: Command, home: &Path) -> anyhow::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(home.join("log"))?;
        let begin = Instant::now();
        let child = command.stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.context("cannot start pony-collector")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("no standard output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(url) = url.map(str::to_owned) else {
            let status = child.wait()?;
            let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
            bail!("the collector did not start, {status}: {}", log.lines().last().unwrap_or(""));
        };
        Ok(Self { child, url, start: begin.elapsed() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: no chance to tidy up.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// How it ended, if it has within `patience`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn ended(&mut self, patience: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let begin = Instant::now();
        loop {
            match self.child.try_wait()? {
                None if begin.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                status => return Ok(status),
            }
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Both fail when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A submission of one step, told from others by its mark.
///
/// # Errors
/// When the mark is no tag.
pub fn submission(package: &str, mark: &str, output: &str) -> anyhow::Result<Submission> {
    let tagset = Tagset {
        package: package.to_owned(),
        host: "shed".to_owned(),
        arch: "linux-x86_64".to_owned(),
        tags: [mark.to_owned()].into(),
    };
    let client_info = ClientInfo::new(&tagset, true)?;
    let step = Step::default().with("type", "test").with("name", "unit").with("output", output);
    Ok(Submission { client_info, results_list: vec![step] })
}

/// Somebody who submits over one connection that is kept.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
}

impl Client {
    /// For the collector at an address.
    pub fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build();
        Self { agent: config.into(), url: url.to_owned() }
    }

    /// Submits. When this returns a receipt, the collector has acknowledged.
    ///
    /// # Errors
    /// When there is no answer, or a refusal.
    pub fn submit(&self, submission: &Submission) -> anyhow::Result<Receipt> {
        let (client_info, results_list) = submission.clone().into_values();
        let call = write_call("add_results", &[client_info, results_list]);
        let answer = self.agent.post(format!("{}xmlrpc", self.url)).content_type("text/xml");
        let mut answer = answer.send(call.as_bytes())?;
        let body = answer.body_mut().read_to_vec()?;
        let value = match read_response(&body, &Limits::default())? {
            Response::Success(value) => value,
            Response::Fault(fault) => bail!("refused: {}", fault.message),
        };
        let auth_key = value.as_array().and_then(|pair| pair.get(1)).and_then(Value::as_str);
        let auth_key = auth_key.context("an answer without an auth key")?.to_owned();
        let key = key_in(&auth_key).context("an auth key without a key")?;
        Ok(Receipt { key, auth_key })
    }

    /// Uploads a file to a result. When this returns, the collector has acknowledged.
    ///
    /// # Errors
    /// When there is no answer, or a refusal.
    pub fn upload(&self, auth_key: &str, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let query = format!("description=x&filename={name}&auth_key={auth_key}&visible=yes");
        let answer = self.agent.post(format!("{}upload?{query}", self.url)).send(content)?;
        match answer.status().as_u16() {
            200 => Ok(()),
            status => bail!("refused: status {status}"),
        }
    }
}

/// The result key that an auth key begins with.
pub fn key_in(auth_key: &str) -> Option<ResultKey> {
    ResultKey::from_i64(i64::from_str_radix(auth_key.get(..16)?, 16).ok()?)
}
