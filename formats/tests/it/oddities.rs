//! What the readers of text tolerate, they note when asked.

use pony_formats::{Format, Limits, Report, parse};

const LIMITS: Limits = Limits { oddities_max: 10, ..Limits::DEFAULT };

fn notes(report: &Report) -> Vec<String> {
    let first = report.oddities.first().iter();
    first.map(|odd| format!("{}: {}", odd.position.line, odd.message)).collect()
}

const CARGO: &str = "
running 2 tests
test a ... ok
test b ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

const UNITTEST: &str = "test_a (m.T.test_a) ... ok

----------------------------------------------------------------------
Ran 1 test in 0.001s

OK
";

const PYTEST: &str = "============ test session starts ============
collected 1 item

m.py::test_a PASSED                    [100%]

============ 1 passed in 0.01s ============
";

#[test]
fn clean_logs_have_no_notes_and_nobody_asks_by_default() {
    for (format, text) in
        [(Format::CargoTest, CARGO), (Format::PythonText, UNITTEST), (Format::PytestText, PYTEST)]
    {
        let report = parse(format, text.as_bytes(), &LIMITS).unwrap();
        assert_eq!(notes(&report), [""; 0], "{format}");
    }
    let died = parse(Format::CargoTest, b"running 1 test\n", &Limits::DEFAULT).unwrap();
    assert_eq!(died.oddities.total(), 0);
}

#[test]
fn what_does_not_add_up_is_noted_where_it_is() {
    let cases = [
        (
            Format::CargoTest,
            "running 2 tests\ntest a ... ok\n".to_owned(),
            "1: 2 tests announced and no `test result:`, counted as one errored test",
        ),
        (
            Format::CargoTest,
            CARGO.replace("test b ... ok\n", "test b ... ok\ntest c ... ok\n"),
            "2: the summary counts 2 passed and the lines name 3, the summary is taken",
        ),
        (
            Format::CargoTest,
            CARGO.replace("test b", "test result: ok. 9 passed; 0 failed; 0 ignored\ntest b"),
            "4: a `test result:` line that fits no `running N tests`, taken for output",
        ),
        (
            Format::CargoTest,
            CARGO.replace("test b", "test a"),
            "1: tests have the id of another one, 1 of them, such as `a`",
        ),
        (
            Format::PytestText,
            PYTEST.replace("============ 1 passed in 0.01s ============\n", ""),
            "1: the session did not get to its end, a line such as `2 passed in 0.12s`, \
             counted as one errored test",
        ),
        (
            Format::PytestText,
            PYTEST.replace("PASSED                    [100%]", "PASSED\nm.py::test_b PASSED"),
            "1: the summary counts 1 passed and the lines name 2, the summary is taken",
        ),
        (
            Format::PythonText,
            UNITTEST.replace("Ran 1 test in 0.001s\n\nOK\n", ""),
            "4: the run did not get to its end, `Ran N tests` and `OK` or `FAILED`",
        ),
        (
            Format::PythonText,
            UNITTEST.replace("... ok\n", "... ok\ntest_b (m.T.test_b) ... ok\n"),
            "7: the summary counts 1 passed and the lines name 2, the summary is taken",
        ),
    ];
    for (format, text, note) in cases {
        let report = parse(format, text.as_bytes(), &LIMITS).unwrap();
        let notes = notes(&report);
        assert!(notes.len() == 1 && notes[0].starts_with(note), "{text}\n{notes:#?}");
    }
    let mut bytes = CARGO.as_bytes().to_vec();
    bytes.extend(b"\nfine \xff\n");
    let report = parse(Format::CargoTest, &bytes, &LIMITS).unwrap();
    assert_eq!(
        notes(&report),
        ["8: bytes or characters that had to be replaced to make text of them"]
    );
}
