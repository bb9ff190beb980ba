//! Text as a conforming processor gives it: every name, message, detail and output of every test is held
//! against what expat finds in the same file.

use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pony_formats::{Entry, Evidence, Format, Limits, TestCase, read};
use serde_json::{Value, json};

use crate::corpus;

/// The arguments of `gen_junit.py` for files that have all that a dialect knows.
const GENERATED: &str = "--suites 8 --tests 25 --seed 5 --fail-rate 0.2 --flaky-rate 0.2 --flaky-hit 1 \
    --skip-rate 0.1 --retries 2 --out-pass 400 --out-fail 3000";

/// Every trap of text in XML, in a document of each place that text can be.
const TRAPS: &[&str] = &[
    "plain",
    "",
    " \t\n ",
    "&lt;&gt;&amp;&quot;&apos;",
    "&#65;&#x42;&#10;&#13;&#9;&#x1F600;&#xFFFD;",
    "one\r\ntwo\rthree\n\r\nfour\r",
    "tab\tand  blanks ",
    "é€😀\u{10fffd}\u{85}\u{a0}\u{2028}\u{feff}\u{ff01}\u{7f}",
    "a &lt; b &amp;&amp; c &gt; d ] ]&gt; ]]&gt;",
    "\n   indented\n  less\n",
    "%&#37;{}[]\\x1b",
];

/// What may only be where there is no attribute.
const TRAPS_OF_TEXT: &[&str] = &[
    "a<![CDATA[<b>&amp;]]>c<![CDATA[]]]]><![CDATA[>]]>",
    "<![CDATA[\r\n one\r\n]]>\r\n",
    "before<!-- not\r\nthis -->behind<?nor this?>!",
    "in <em>an &#x2014; element</em> of its own",
    "quotes \" and ' and > alone",
];

/// A document with `text` as attributes, if it can be one, and in every element that has text.
fn document(text: &str, is_attribute: bool) -> String {
    let value = if is_attribute { text } else { "value" };
    format!(
        "<testsuites><testsuite name=\"s{value}\"><testcase name=\"{value}\" classname=\"c{value}\">\
         <failure message=\"m{value}\" type=\"t\">{text}</failure><error message='e'>\n{text}\n</error>\
         <rerunFailure message=\"{value}\">{text}<stackTrace>{text}</stackTrace><system-out>{text}\
         </system-out></rerunFailure><system-out>{text}</system-out><system-out>{text}|</system-out>\
         <system-err>{text}</system-err></testcase><testcase name='s'><skipped>{text}</skipped>\
         </testcase><system-out>{text}</system-out><system-err>x{text}</system-err></testsuite>\
         <testcase name='{}'/></testsuites>",
        value.replace('\'', "")
    )
}

/// Files of our own making, in every encoding that can write them.
fn traps(folder: &Path) -> Vec<PathBuf> {
    std::fs::create_dir_all(folder).unwrap();
    let mut files = Vec::new();
    let mut file = |content: &[u8]| {
        let path = folder.join(format!("{}.xml", files.len()));
        std::fs::write(&path, content).unwrap();
        files.push(path);
    };
    let attributes = TRAPS.iter().map(|text| document(text, true));
    for document in attributes.chain(TRAPS_OF_TEXT.iter().map(|text| document(text, false))) {
        file(document.as_bytes());
        file(format!("\u{feff}<?xml version=\"1.0\"?>\r\n{document}").as_bytes());
        let utf_16 = format!("\u{feff}<?xml version='1.0' encoding='UTF-16'?>{document}");
        file(&utf_16.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
        file(&utf_16.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
        let latin = format!("<?xml version='1.0' encoding='ISO-8859-1'?>{document}<!--\u{ff}-->");
        if let Ok(bytes) = latin.chars().map(u8::try_from).collect::<Result<Vec<_>, _>>() {
            file(&bytes);
        }
    }
    // Longer than any buffer, with line ends and characters that lie across their ends.
    for piece in ["line\r\n", "é😀\r", "&amp;<![CDATA[\r\n]]>", "<!-- -->\r\n"] {
        file(document(&piece.repeat(40_000), false).as_bytes());
    }
    files
}

/// JUnit files of the corpus that can be read.
fn corpus_files() -> Vec<PathBuf> {
    let Some(folder) = corpus::folder() else { return Vec::new() };
    let rows = corpus::manifest(&folder.join("junit"));
    let is_readable = |row: &&corpus::Columns| row["expect"] == "ok";
    rows.iter().filter(is_readable).map(|row| folder.join("junit").join(&row["local"])).collect()
}

/// Files of the generator that lies beside the corpus, one dialect after the other.
fn generated(folder: &Path) -> Vec<PathBuf> {
    let generator = corpus::folder().map(|corpus| corpus.join("../bench/gen_junit.py"));
    let Some(generator) = generator.filter(|path| path.is_file()) else { return Vec::new() };
    let mut files = Vec::new();
    for dialect in ["pytest", "nextest", "surefire", "nose"] {
        let out = folder.join(dialect);
        let mut command = Command::new("python3");
        command.arg(&generator).arg("--out").arg(&out).args(["--dialect", dialect]);
        assert!(command.args(GENERATED.split(' ')).output().unwrap().status.success());
        for entry in out.join("run-0001").read_dir().unwrap() {
            files.push(entry.unwrap().path());
        }
    }
    files
}

/// What expat finds in each file.
fn of_expat(files: &[PathBuf]) -> Vec<Value> {
    let mut command = Command::new("python3");
    command.args(["-c", include_str!("expat.py")]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let names: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    let writer = std::thread::spawn(move || stdin.write_all(names.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let lines = str::from_utf8(&output.stdout).unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What our reader finds, in the words of `expat.py`.
fn of_ours(file: &Path) -> Result<Value, String> {
    let input = std::fs::read(file).unwrap();
    let mut found = Vec::new();
    let summary = read(Format::Junit, &*input, &Limits::DEFAULT, &mut |entry| match entry {
        Entry::Test(test) if test.id.ends_with("(suite)") => {}
        Entry::Test(test) => found.push(test_as_json(test)),
        Entry::Suite(suite) if suite.output.is_none() && suite.errout.is_none() => {}
        Entry::Suite(suite) => {
            found.push(json!(["suite", suite.name, suite.output, suite.errout]));
        }
    });
    match summary {
        Ok(summary) if !summary.sanitised => Ok(found.into()),
        Ok(_) => Err("not well-formed".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn test_as_json(test: TestCase) -> Value {
    let attempts = test.attempts.into_iter().map(|attempt| {
        let Evidence { message, details, output, errout, .. } = attempt.evidence;
        json!([message, details, output, errout])
    });
    let attempts: Vec<Value> = attempts.collect();
    let Evidence { message, details, output, errout, .. } = test.evidence;
    json!(["test", test.id, message, details, output, errout, attempts])
}

/// Where two lists differ first, in few words.
fn difference(ours: &Value, expat: &Value) -> Option<String> {
    let (ours, expat) = (ours.as_array().unwrap(), expat.as_array().unwrap());
    let differs = ours.iter().zip(expat).find(|(a, b)| a != b);
    let short = |value: &Value| value.to_string().chars().take(1000).collect::<String>();
    match differs {
        Some((a, b)) => Some(format!("\n  ours  {}\n  expat {}", short(a), short(b))),
        None if ours.len() == expat.len() => None,
        None => Some(format!("{} entries, expat has {}", ours.len(), expat.len())),
    }
}

/// The same as in `pony-tests`: a line that says what was not checked, or a failure.
fn has_expat() -> bool {
    let mut probe = Command::new("python3");
    let found = probe.args(["-c", "import xml.parsers.expat"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    let is_required = std::env::var_os("PONY_REQUIRE_PEERS").is_some();
    assert!(found || !is_required, "there is no python3 with expat here");
    if !found {
        let _ = writeln!(stderr(), "NOT CHECKED: there is no python3 with expat here");
    }
    found
}

#[test]
fn every_text_is_the_one_that_expat_gives() {
    if !has_expat() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("expat");
    let _ = std::fs::remove_dir_all(&folder);
    let groups = [
        ("made for it", traps(&folder.join("traps"))),
        ("generated in four dialects", generated(&folder)),
        ("in the corpus", corpus_files()),
    ];
    let mut wrong = Vec::new();
    for (what, files) in &groups {
        let (mut same, mut entries) = (0, 0);
        for (file, expat) in files.iter().zip(of_expat(files)) {
            let problem = match (of_ours(file), &expat) {
                (Ok(_), Value::Null) => Some("only expat refuses it".to_owned()),
                (Ok(ours), expat) => difference(&ours, expat),
                (Err(_), Value::Null) => continue,
                (Err(error), _) => Some(format!("only we refuse it: {error}")),
            };
            same += usize::from(problem.is_none());
            entries += expat.as_array().map_or(0, Vec::len);
            wrong.extend(problem.map(|problem| format!("{}: {problem}", file.display())));
        }
        println!("expat: of {} files {what}, {same} are the same, {entries} entries", files.len());
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
