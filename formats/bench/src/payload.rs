//! Inputs that are made on the spot. The same bytes every time.

use std::fmt::Write as _;
use std::path::PathBuf;

use pony_formats::output::write_ctrf;
use pony_formats::xmlrpc::write_response;
use pony_formats::{Bag, Outcome, TestCase, Value};

use crate::Failure;

/// Lines of a text that a test runner prints.
const LINES: usize = 200_000;

/// Where the inputs are, until this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self, Failure> {
        let folder =
            std::env::temp_dir().join(format!("pony-formats-bench-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    fn file(&self, name: &str, content: &str) -> Result<PathBuf, Failure> {
        let file = self.0.join(name);
        std::fs::write(&file, content)?;
        Ok(file)
    }

    /// Tests as a client of today would send them: a struct each.
    pub(crate) fn many(&self) -> Result<PathBuf, Failure> {
        let test = |n: usize| {
            Value::Struct(Bag::from([
                ("id".to_owned(), format!("package.module_{}::test_{n}", n / 50).into()),
                ("outcome".to_owned(), if n % 50 == 7 { "failed" } else { "passed" }.into()),
                ("duration".to_owned(), Value::Double(n as f64 / 1024.0)),
                ("line".to_owned(), Value::Int(n as i64)),
                ("message".to_owned(), format!("assert {n} < {} & so on", n + 1).into()),
            ]))
        };
        self.file("many.xml", &write_response(&Value::Array((0..11_000).map(test).collect())))
    }

    /// Steps as the first pony-build client sent them: with all that they printed.
    pub(crate) fn big(&self) -> Result<PathBuf, Failure> {
        let step = |n: usize| {
            let mut output = String::new();
            for line in 0..300 {
                let _ =
                    writeln!(output, "cc -O2 -I <include> -c source/file_{n}_{line}.c -o out.o");
            }
            Value::Struct(Bag::from([
                ("name".to_owned(), format!("step {n}").into()),
                ("status".to_owned(), Value::Int(0)),
                ("output".to_owned(), output.into()),
            ]))
        };
        self.file("big.xml", &write_response(&Value::Array((0..200).map(step).collect())))
    }

    /// One test that printed 64 MiB, with some of what has to be resolved at its end.
    pub(crate) fn long(&self) -> Result<PathBuf, Failure> {
        let line = "all work and no play makes this a long text, of 64 bytes a line.";
        let text = format!("{line}\n").repeat(64 * 1024 * 1024 / (line.len() + 1));
        let case = format!("<testcase name='t'><system-out>{text}</system-out></testcase>");
        self.file("long.xml", &format!("<testsuite name='s'>{case}</testsuite>"))
    }

    /// What `dotnet test --logger trx` writes of 60,000 tests, one in 50 failed.
    pub(crate) fn trx(&self) -> Result<PathBuf, Failure> {
        let (mut results, mut definitions) = (String::new(), String::new());
        for n in 0..60_000 {
            let id = format!("{n:08x}-1111-2222-3333-444444444444");
            let class = format!("Hay.Loft.Module{}", n / 50);
            let (outcome, output) = match n % 50 {
                7 => (
                    "Failed",
                    "<Output><ErrorInfo><Message>Assert.Equal() Failure: 1 &lt; 2</Message>\
                     <StackTrace>   at Hay.Loft.Climb() in /build/Loft.cs:line 12</StackTrace>\
                     </ErrorInfo></Output>",
                ),
                _ => ("Passed", ""),
            };
            let _ = writeln!(
                results,
                "    <UnitTestResult executionId=\"{id}\" testId=\"{id}\" testName=\"{class}.Climbs_{n}\" \
                 computerName=\"shed\" duration=\"00:00:00.0{n:06}\" outcome=\"{outcome}\" \
                 testListId=\"{id}\">{output}</UnitTestResult>"
            );
            let _ = writeln!(
                definitions,
                "    <UnitTest name=\"{class}.Climbs_{n}\" storage=\"/build/hay.dll\" id=\"{id}\">\
                 <Execution id=\"{id}\" /><TestMethod codeBase=\"/build/hay.dll\" \
                 className=\"{class}\" name=\"Climbs_{n}\" /></UnitTest>"
            );
        }
        let namespace = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";
        let document = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TestRun id=\"1\" xmlns=\"{namespace}\">\n\
             <Results>\n{results}</Results>\n<TestDefinitions>\n{definitions}</TestDefinitions>\n\
             <ResultSummary outcome=\"Failed\" /></TestRun>\n"
        );
        self.file("run.trx", &document)
    }

    /// A body that a stranger sends.
    pub(crate) fn hostile(&self, body: &[u8]) -> Result<PathBuf, Failure> {
        let file = self.0.join("hostile.xml");
        std::fs::write(&file, body)?;
        Ok(file)
    }

    pub(crate) fn cargo_test(&self) -> Result<PathBuf, Failure> {
        let mut text = format!("\nrunning {LINES} tests\n");
        for n in 0..LINES {
            let _ = writeln!(text, "test module_{}::tests::case_{n} ... ok", n / 100);
        }
        let _ = writeln!(
            text,
            "\ntest result: ok. {LINES} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s"
        );
        self.file("cargo-test.txt", &text)
    }

    pub(crate) fn pytest(&self) -> Result<PathBuf, Failure> {
        let mut text =
            "============================= test session starts ==============================\n\
            platform linux -- Python 3.12.0, pytest-8.0.0, pluggy-1.4.0 -- /usr/bin/python3\n\
            cachedir: .pytest_cache\nrootdir: /build\n"
                .to_owned();
        let _ = writeln!(text, "collecting ... collected {LINES} items\n");
        for n in 0..LINES {
            let percent = n * 100 / LINES;
            let file = n / 100;
            let _ =
                writeln!(text, "tests/test_{file}.py::test_case_{n} PASSED      [{percent:3}%]");
        }
        let _ = writeln!(
            text,
            "\n============================= {LINES} passed in 1.00s =============================="
        );
        self.file("pytest.txt", &text)
    }

    pub(crate) fn nextest(&self) -> Result<PathBuf, Failure> {
        let rule = "\u{2500}".repeat(12);
        let mut text = format!("{rule}\n    Starting {LINES} tests across 1 binary\n");
        let width = LINES.to_string().len();
        for n in 1..=LINES {
            let _ = writeln!(
                text,
                "        PASS [   0.004s] ({n:width$}/{LINES}) hay-loft::it module_{}::case_{n}",
                n / 100
            );
        }
        let _ = writeln!(
            text,
            "{rule}\n     Summary [   1.000s] {LINES} tests run: {LINES} passed, 0 skipped"
        );
        self.file("nextest.txt", &text)
    }

    pub(crate) fn tap(&self) -> Result<PathBuf, Failure> {
        let mut text = format!("TAP version 14\n1..{LINES}\n");
        for n in 1..=LINES {
            let _ = writeln!(text, "ok {n} - module {} does case {n}", n / 100);
        }
        self.file("tests.tap", &text)
    }

    pub(crate) fn libtest_json(&self) -> Result<PathBuf, Failure> {
        let tests = LINES / 2;
        let mut text =
            format!("{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": {tests} }}\n");
        for n in 0..tests {
            let name = format!("module_{}::tests::case_{n}", n / 100);
            let _ = writeln!(
                text,
                "{{ \"type\": \"test\", \"event\": \"started\", \"name\": \"{name}\" }}\n\
                 {{ \"type\": \"test\", \"name\": \"{name}\", \"event\": \"ok\", \"exec_time\": 0.000012 }}"
            );
        }
        let _ = writeln!(
            text,
            "{{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": {tests}, \"failed\": 0, \"ignored\": 0, \
             \"measured\": 0, \"filtered_out\": 0, \"exec_time\": 1.0 }}"
        );
        self.file("libtest.jsonl", &text)
    }

    pub(crate) fn go_test(&self) -> Result<PathBuf, Failure> {
        const PACKAGE: &str = "example.org/barn/hay";
        let mut text = String::new();
        let mut event = |rest: String| {
            let time = "2026-01-02T03:04:05.678901234Z";
            let _ = writeln!(text, "{{\"Time\":\"{time}\",{rest}}}");
        };
        for n in 0..LINES / 4 {
            let of = |action: &str| {
                format!(
                    "\"Action\":\"{action}\",\"Package\":\"{PACKAGE}\",\"Test\":\"TestCase{n}\""
                )
            };
            event(of("run"));
            event(of("output") + &format!(",\"Output\":\"=== RUN   TestCase{n}\\n\""));
            event(of("output") + &format!(",\"Output\":\"--- PASS: TestCase{n} (0.00s)\\n\""));
            event(of("pass") + ",\"Elapsed\":0");
        }
        event(format!("\"Action\":\"pass\",\"Package\":\"{PACKAGE}\",\"Elapsed\":1.5"));
        self.file("go-test.json", &text)
    }

    pub(crate) fn ctrf(&self) -> Result<PathBuf, Failure> {
        let tests: Vec<TestCase> = (0..LINES / 2)
            .map(|n| {
                let id = format!("module {}::does case {n}", n / 100);
                let mut test = TestCase::new(id, Outcome::Passed);
                test.duration = Some(n as f64 / 1000.0);
                test
            })
            .collect();
        let mut bytes = Vec::new();
        write_ctrf(&mut bytes, &tests, Default::default(), Default::default())?;
        let file = self.0.join("ctrf.json");
        std::fs::write(&file, bytes)?;
        Ok(file)
    }

    pub(crate) fn unittest(&self) -> Result<PathBuf, Failure> {
        let mut text = String::new();
        for n in 0..LINES {
            let _ =
                writeln!(text, "test_case_{n} (tests.test_{}.Case.test_case_{n}) ... ok", n / 100);
        }
        let rule = "-".repeat(70);
        let _ = writeln!(text, "\n{rule}\nRan {LINES} tests in 1.000s\n\nOK");
        self.file("unittest.txt", &text)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
