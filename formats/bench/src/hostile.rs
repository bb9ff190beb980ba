//! Bodies of up to 5 MB that a stranger sends to a collector, and what it costs to refuse or to read them.

use std::io::Write;
use std::path::Path;

use pony_formats::Limits;
use pony_formats::xmlrpc::read_call;

use crate::Failure;
use crate::measure::{self, Reader, Sample, Work};
use crate::payload::Folder;
use crate::table::median;

/// Seconds of processor time that no body may take.
const CPU_MAX: f64 = 0.2;

/// MiB that no reading may take, beside four times the body.
const PEAK_MAX: f64 = 64.0;

/// Bytes of a body.
const BYTES: usize = 5_000_000;

pub(crate) const READERS: &[Reader] =
    &[Reader { name: "pony-formats, hostile call", work: Work::Rust(call, 1) }];

/// 1 for a call that is read, 0 for one that is refused.
fn call(file: &Path) -> Result<usize, Failure> {
    Ok(usize::from(read_call(&std::fs::read(file)?, &Limits::DEFAULT).is_ok()))
}

/// A call of one value, behind a prologue.
fn around(prologue: &str, value: &str) -> Vec<u8> {
    format!(
        "{prologue}<methodCall><methodName>add_results</methodName><params><param><value>{value}\
         </value></param></params></methodCall>"
    )
    .into_bytes()
}

/// As many of something as fit.
fn many(piece: &str) -> String {
    piece.repeat((BYTES - 1000) / piece.len())
}

/// As many numbered ones as fit.
fn numbered(piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for piece in (0..).map(piece) {
        if text.len() + piece.len() > BYTES - 1000 {
            break;
        }
        text.push_str(&piece);
    }
    text
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let laughs: String = (1..10)
        .map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!("<!DOCTYPE r [<!ENTITY l0 'lol'>{laughs}]>");
    let quadratic = format!("<!DOCTYPE r [<!ENTITY a '{}'>]>", "a".repeat(2_000_000));
    let members = numbered(|n| format!("<member><name>{n}</name><value/></member>"));
    let honest = around("", &many("text &amp; more\r\n"));
    vec![
        ("deep arrays", around("", &many("<array><data><value>"))),
        ("deep structs", around("", &many("<struct><member><name>a</name><value>"))),
        ("a billion laughs", around(&laughs, "&l9;")),
        ("a long entity, often", around(&quadratic, &"&a;".repeat(900_000))),
        ("base64", around("", &format!("<base64>{}</base64>", many("aGF5")))),
        ("base64 that is none", around("", &format!("<base64>{}</base64>", many("*")))),
        ("attributes", format!("<methodCall{}/>", numbered(|n| format!(" a{n}='1'"))).into()),
        ("namespaces", format!("<methodCall{}/>", numbered(|n| format!(" xmlns:n{n}='u'"))).into()),
        ("one long attribute", format!("<methodCall a='{}'/>", many("&lt;")).into()),
        ("cut off", honest[..honest.len() / 2].to_vec()),
        ("empty values", around("", &format!("<array><data>{}</data></array>", many("<value/>")))),
        ("empty structs", {
            let value = "<value><struct/></value>";
            around("", &format!("<array><data>{}</data></array>", many(value)))
        }),
        ("members", around("", &format!("<struct>{members}</struct>"))),
        ("one comment", around(&format!("<!--{}-->", many("c ")), "")),
        ("many comments", around(&many("<!---->"), "")),
        ("one instruction", around(&format!("<?p {}?>", many("c ")), "")),
        ("many instructions", around(&many("<?p?>"), "")),
        ("one text", around("", &many("text\r\n"))),
        ("references", around("", &many("&#65;"))),
        ("empty CDATA", around("", &many("<![CDATA[]]>"))),
        ("forbidden characters", around("", &many("\u{1}"))),
        ("bytes that are not UTF-8", {
            let mut body = around("", "?");
            let at = body.iter().rposition(|byte| *byte == b'?').unwrap_or_default();
            body.splice(at..=at, vec![0xff; BYTES - 1000]);
            body
        }),
        ("a long name", format!("<{}/>", many("n")).into()),
        ("a long method", format!("<methodCall><methodName>{}", many("m")).into()),
    ]
}

/// Measures and prints. An error when a body takes more than it may.
pub(crate) fn write(out: &mut dyn Write, folder: &Folder, rounds: usize) -> Result<(), Failure> {
    writeln!(out, "\nHostile calls, median of {rounds}")?;
    writeln!(out, "{:32} {:>8} {:>7} {:>9} {:>8}", "", "CPU ms", "MB", "peak MiB", "may MiB")?;
    let mut over = Vec::new();
    for (what, body) in bodies() {
        let file = folder.hostile(&body)?;
        let samples = (0..rounds).map(|_| measure::child(&READERS[0], &file));
        let samples = samples.collect::<Result<Vec<Sample>, _>>()?;
        let cpu = median(samples.iter().map(|sample| sample.cpu));
        let peak = median(samples.iter().map(|sample| sample.peak));
        let bytes = body.len() as f64;
        let peak_max = PEAK_MAX + 4.0 * bytes / f64::from(1 << 20);
        let answer = if samples[0].count == 1 { "read" } else { "refused" };
        let (ms, megabytes) = (cpu * 1e3, bytes / 1e6);
        writeln!(out, "{what:32} {ms:8.1} {megabytes:7.1} {peak:9.1} {peak_max:8.1} {answer}")?;
        if cpu > CPU_MAX || peak > peak_max {
            over.push(what);
        }
    }
    match over.is_empty() {
        true => Ok(()),
        false => Err(format!("more than they may take: {}", over.join(", ")).into()),
    }
}
