//! A running collector, and clients that all submit at the same time.

use std::fs;
use std::io::{BufRead as _, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use pony_formats::xmlrpc::write_call;

use crate::measure::median;
use crate::repository::git;
use crate::{Failure, Plan, data};

/// Clients at a time.
const CLIENTS: [usize; 3] = [1, 8, 64];

/// Submissions of all clients together.
const SUBMISSIONS: usize = 1_600;

/// Measures and prints. Needs the program.
pub(crate) fn write(out: &mut dyn Write, plan: &Plan, program: &Path) -> Result<(), Failure> {
    writeln!(out, "\nSubmissions over HTTP, {SUBMISSIONS} in all")?;
    let calls = (0..200).map(|number| {
        let (client_info, results_list) = data::submission(number)?.into_values();
        Ok(write_call("add_results", &[client_info, results_list]).into_bytes())
    });
    let calls = calls.collect::<Result<Vec<Vec<u8>>, Failure>>()?;
    for clients in CLIENTS {
        let repo = plan.folder.join("collected.git");
        if repo.exists() {
            fs::remove_dir_all(&repo)?;
        }
        let (mut collector, address) = start(program, &repo)?;
        let begin = Instant::now();
        let times = thread::scope(|scope| {
            let threads: Vec<_> = (0..clients)
                .map(|client| {
                    let own = calls.iter().cycle().skip(client * 7).take(SUBMISSIONS / clients);
                    scope.spawn(move || submit(address, own).map_err(|error| error.to_string()))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| "a client died"))
                .collect::<Vec<_>>()
        });
        let seconds = begin.elapsed().as_secs_f64();
        let mut all = Vec::new();
        for times in times {
            all.extend(times??);
        }
        collector.kill()?;
        collector.wait()?;
        let stored: usize = git(&repo, &["rev-list", "--count", "main"])?.parse()?;
        if stored != all.len() + 1 {
            return Err(
                format!("{} were acknowledged, {} are stored", all.len(), stored - 1).into()
            );
        }
        let rate = all.len() as f64 / seconds;
        all.sort_by(f64::total_cmp);
        let late = all.get(all.len() * 99 / 100).copied().unwrap_or_default() * 1e3;
        let usual = median(all) * 1e3;
        writeln!(
            out,
            "{clients:3} clients: {rate:7.1} submissions/s, answered in {usual:6.1} ms, 99 % in {late:6.1} ms"
        )?;
        fs::remove_dir_all(&repo)?;
    }
    Ok(())
}

fn start(program: &Path, repo: &Path) -> Result<(Child, SocketAddr), Failure> {
    let mut child = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--repo"])
        .arg(repo)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    let address = line.strip_prefix("listening on http://").and_then(|rest| rest.split('/').next());
    Ok((child, address.ok_or("the collector does not listen")?.parse()?))
}

/// Submits one after the other over one connection. Returns how many seconds each took.
fn submit<'c>(
    address: SocketAddr,
    calls: impl Iterator<Item = &'c Vec<u8>>,
) -> Result<Vec<f64>, Failure> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_nodelay(true)?;
    let mut answers = BufReader::new(connection.try_clone()?);
    let mut times = Vec::new();
    for call in calls {
        let begin = Instant::now();
        let mut request = format!(
            "POST /xmlrpc HTTP/1.1\r\nHost: {address}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
            call.len()
        )
        .into_bytes();
        request.extend(call);
        connection.write_all(&request)?;
        let answer = answer(&mut answers)?;
        if !answer.contains("<params>") {
            return Err(answer.into());
        }
        times.push(begin.elapsed().as_secs_f64());
    }
    Ok(times)
}

/// The body of one response.
fn answer(connection: &mut impl std::io::BufRead) -> Result<String, Failure> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            return Err("the connection was closed".into());
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
        if line == "\r\n" {
            let mut body = vec![0; length];
            connection.read_exact(&mut body)?;
            return Ok(String::from_utf8(body)?);
        }
    }
}
