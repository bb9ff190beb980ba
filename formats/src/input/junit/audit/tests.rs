//! One small document for each oddity, and documents that have none.

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits { oddities_max: 10, ..Limits::DEFAULT };

fn notes(text: &str) -> Vec<String> {
    let oddities = audit(text, &LIMITS);
    assert_eq!(oddities.total(), oddities.first().len() as u64);
    let notes = oddities.first().iter();
    notes
        .map(|odd| format!("{}:{}: {}", odd.position.line, odd.position.column, odd.message))
        .collect()
}

#[test]
fn a_document_that_adds_up_has_no_notes() {
    let texts = [
        "<testsuite/>",
        "<testsuites tests='2' failures='1' time='1.5'><testsuite name='s' tests='2' failures='1' \
         errors='0' skipped='0' timestamp='2026-01-02T03:04:05'><testcase name='a'/><testcase \
         name='b' time='0.5'><failure/></testcase></testsuite></testsuites>",
        // Nested totals of the suite alone, and of everything inside.
        "<testsuite tests='1'><testcase name='a'/><testsuite><testcase name='b'/></testsuite></testsuite>",
        "<testsuite tests='2'><testcase name='a'/><testsuite><testcase name='b'/></testsuite></testsuite>",
        "<testsuite skipped='1'><testcase name='a' status='notrun'/></testsuite>",
        "<testsuite skipped='0'><testcase name='a' status='notrun'/></testsuite>",
        "<testsuite><testcase name='a'><system-out>x</system-out></testcase><system-out> </system-out></testsuite>",
    ];
    for text in texts {
        assert_eq!(notes(text), [""; 0], "{text}");
    }
}

#[test]
fn each_oddity_has_its_place_and_what_was_made_of_it() {
    let cases = [
        (
            "\n<testsuite name='s' tests='3' failures='2' errors='x'><testcase name='a'/></testsuite>",
            "2:1: suite `s` declares 3 tests where 1 is, 2 failures where 0 are, `x` errors",
        ),
        (
            "<testsuite><testcase name='a'/>\n <testcase name='a'/></testsuite>",
            "2:2: another test `a`, the first is at 1:12",
        ),
        ("<testsuite><testcase/></testsuite>", "1:12: a test without a name"),
        (
            "<testsuite><testcase name='a' time='0,5'/></testsuite>",
            "1:12: time `0,5` is no number of seconds, left out",
        ),
        ("<testsuite timestamp='soon'/>", "1:1: timestamp `soon` is no ISO 8601 time"),
        (
            "<testsuite><testcase name='a'><failure/><error/></testcase></testsuite>",
            "1:12: a test with 2 results, the worst counts",
        ),
        (
            "<testsuite><error/></testsuite>",
            "1:12: `error` outside of a test, counted as one errored test of the suite",
        ),
        ("<testsuite><skipped/></testsuite>", "1:12: `skipped` outside of a test, left out"),
        (
            "<testsuite>\nhello <testcase name='a'/> you</testsuite>",
            "1:12: text between elements, left out: `hello`",
        ),
        (
            "<testsuite><testcase name='a'><testcase name='b'/></testcase></testsuite>",
            "1:31: a test inside a test, counted as one of its own",
        ),
        (
            "<testsuite>\n<testcase name='\u{1b}a'/><testcase name='\u{1b}b'/></testsuite>",
            "2:1: characters that XML forbids, kept as escapes such as `\\x1b`",
        ),
    ];
    for (text, note) in cases {
        assert_eq!(notes(text), [note], "{text}");
    }
}

#[test]
fn notes_are_limited_and_counted() {
    let text = format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(20));
    let oddities = audit(&text, &LIMITS);
    // Twenty without a name, and nineteen of them again.
    assert_eq!((oddities.first().len(), oddities.total()), (10, 39));
    let nobody_asks = Limits { oddities_max: 0, ..Limits::DEFAULT };
    assert_eq!(audit(&text, &nobody_asks), Oddities::default());
}

proptest! {
    #[test]
    fn any_document_has_its_notes_inside(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<testsuite name='s' tests='1' errors='x'>", "</testsuite>", "<testcase name='t' time='?'>",
                "<testcase/>", "</testcase>", "<failure/>", "<error>", "</error>", "<system-out>", "</system-out>",
                "text", "\n", "\u{1b}",
            ]),
            0..30,
        ),
    ) {
        let text = format!("<testsuites>{}</testsuites>", pieces.concat());
        let oddities = audit(&text, &LIMITS);
        prop_assert_eq!(oddities.first().len() as u64, oddities.total().min(10));
        let lines = text.split('\n').count() as u64;
        prop_assert!(oddities.first().iter().all(|odd| odd.position.line <= lines));
    }
}
