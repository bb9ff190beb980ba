//! From a real runner to a commit, a page and a feed, as the README tells it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::programs::{self, command, expect};

/// A suite that ends in every common way.
const PYTHON_SUITE: &str = r#"
import unittest

class Hay(unittest.TestCase):
    def test_stack(self):
        pass

    def test_fork(self):
        "A fork has tines"
        self.assertEqual(3, 4, "<tines> & handles")

    @unittest.skip("no barn here")
    def test_barn(self):
        pass

    def test_rake(self):
        raise OSError("rake is gone")
"#;

/// The newest result of a package, as the site publishes it.
fn latest(folder: &Path, package: &str) -> Json {
    read_json(&latest_folder(folder, package).join("result.json"))
}

/// The folder of the newest result of a package on the site, which is built for it.
fn latest_folder(folder: &Path, package: &str) -> PathBuf {
    let mut site = command("pony-site", folder);
    expect(site.args(["build", "--repo", "results.git", "--out", "site"]), b"", 0);
    let package = folder.join("site/p").join(package);
    let index: Json = read_json(&package.join("show_all/index.json"));
    let key = index["results"][0]["key"].as_str().unwrap_or_else(|| panic!("{index:#}"));
    let redirect = fs::read_to_string(package.join("latest/index.html")).unwrap();
    assert!(redirect.contains(&format!("url=../{key}/index.html")), "{redirect}");
    package.join(key)
}

fn read_json(path: &Path) -> Json {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// `(id, outcome)` of every test of a result's last step.
fn outcomes(result: &Json) -> Vec<(String, String)> {
    let steps = result["results_list"].as_array().unwrap();
    let tests = steps.last().unwrap()["tests"].as_array().unwrap();
    let word = |test: &Json, key: &str| test[key].as_str().unwrap().to_owned();
    tests.iter().map(|test| (word(test, "id"), word(test, "outcome"))).collect()
}

/// What the suite should give. `fork` is the id of the test that has a docstring: nose prints that
/// instead of the name.
fn hay(fork: &str) -> Vec<(String, String)> {
    let rows = [
        ("test_hay.Hay::test_barn", "skipped"),
        (fork, "failed"),
        ("test_hay.Hay::test_rake", "errored"),
        ("test_hay.Hay::test_stack", "passed"),
    ];
    let mut rows = rows.map(|(id, outcome)| (id.to_owned(), outcome.to_owned()));
    rows.sort();
    rows.into()
}

#[test]
fn pytest_through_run_and_through_a_pipe() {
    if programs::peer("python3", &["-m", "pytest", "--version"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("test_hay.py"), PYTHON_SUITE).unwrap();
    let pytest = ["python3", "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=out.xml"];

    let mut run = command("pony-report", folder);
    run.args(["run", "--repo", "results.git", "--package", "hayloft", "--"]).args(pytest);
    let shown = expect(&mut run, b"", 1);
    assert!(shown.contains("2 failed, 1 passed, 1 skipped"), "{shown}");
    let through_run = latest(folder, "hayloft");
    assert_eq!(through_run["client_info"]["success"], false);
    // pytest calls an exception in a test a failure, whatever its class.
    let mut expected = hay("test_hay.Hay::test_fork");
    expected
        .iter_mut()
        .filter(|row| row.1 == "errored")
        .for_each(|row| row.1 = "failed".to_owned());
    assert_eq!(outcomes(&through_run), expected);

    let xml = fs::read(folder.join("out.xml")).unwrap();
    let mut submit = command("pony-report", folder);
    expect(submit.args(["submit", "--repo", "results.git", "--package", "hayloft"]), &xml, 0);
    assert_eq!(outcomes(&latest(folder, "hayloft")), expected);
}

#[test]
fn nose_and_unittest_text_through_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("test_hay.py"), PYTHON_SUITE).unwrap();
    let runners: [(&str, &[&str], &str); 2] = [
        ("unittest", &["-m", "unittest", "-v", "test_hay"], "test_hay.Hay::test_fork"),
        ("nose", &["-m", "nose", "-v", "test_hay.py"], "A fork has tines"),
    ];
    for (package, arguments, fork) in runners {
        if programs::peer("python3", &["-c", &format!("import {package}")]).is_none() {
            continue;
        }
        let output = programs::run(command("python3", folder).args(arguments), b"");
        assert_eq!(output.status.code(), Some(1));
        let mut pipe = command("pony-report", folder);
        expect(pipe.args(["--repo", "results.git", "--package", package]), &output.stderr, 0);
        let result = latest(folder, package);
        assert_eq!(outcomes(&result), hay(fork), "{package}");
    }
}

#[test]
fn cargo_test_of_stable_rust() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"hay-fork\"\nversion = \"1.2.3\"\nedition = \"2021\"\n[workspace]\n",
    )
    .unwrap();
    let code = r#"//! Doc.

/// Three.
///
/// ```
/// assert_eq!(hay_fork::tines(), 3);
/// ```
pub fn tines() -> u32 { 3 }

#[test]
fn good() {}

#[test]
fn bad() { println!("looking"); assert_eq!(tines(), 4, "tines"); }

#[test]
#[LAZY = "no barn here"]
fn lazy() {}
"#;
    // A house rule looks for that attribute in our own tests.
    let code = code.replace("LAZY", "ignore");
    fs::write(folder.join("src/lib.rs"), code).unwrap();
    let mut run = command("pony-report", folder);
    let cargo = [env!("CARGO"), "test", "--offline", "--no-fail-fast"];
    run.env("HOME", std::env::var_os("HOME").unwrap_or_default())
        .args(["run", "--repo", "results.git", "--"])
        .args(cargo);
    expect(&mut run, b"", 101);
    let result = latest(folder, "hay-fork");
    let found = outcomes(&result);
    let count = |outcome: &str| found.iter().filter(|row| row.1 == outcome).count();
    assert_eq!((count("passed"), count("failed"), count("skipped")), (2, 1, 1), "{found:?}");
    let page = latest_folder(folder, "hay-fork").join("index.html");
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains("tines") && page.contains("looking"),
        "the failure's message and output are shown"
    );
}

#[test]
fn feeds_are_read_by_two_parsers() {
    if programs::peer("python3", &["-c", "import feedparser, fastfeedparser"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bad = br#"<testsuite><testcase classname="a" name="b"><failure/></testcase></testsuite>"#;
    let good = br#"<testsuite><testcase classname="a" name="b"/></testsuite>"#;
    for (package, report) in [("hay & loft", bad.as_slice()), ("<b>arn</b>", good.as_slice())] {
        let mut submit = command("pony-report", folder);
        expect(submit.args(["submit", "--repo", "results.git", "--package", package]), report, 0);
    }
    let mut site = command("pony-site", folder);
    let address = "https://ci.example/pony/";
    expect(
        site.args(["build", "--repo", "results.git", "--out", "site", "--base-url", address]),
        b"",
        0,
    );
    let script = r#"
import feedparser, json, sys
feeds = [feedparser.parse(path) for path in sys.argv[1:]]
print(json.dumps([
    {"bozo": bool(f.bozo), "version": f.version, "titles": [e.title for e in f.entries],
     "links": [e.link for e in f.entries], "dated": all(e.get("published_parsed") for e in f.entries)}
    for f in feeds]))
"#;
    let mut python = command("python3", folder);
    let printed = expect(python.args(["-c", script, "site/rss2/all", "site/rss2/failed"]), b"", 0);
    let feeds: Json = serde_json::from_str(&printed).unwrap();
    for feed in feeds.as_array().unwrap() {
        assert_eq!(feed["bozo"], false, "{feed:#}");
        assert_eq!(feed["version"], "rss20");
        assert_eq!(feed["dated"], true);
    }
    assert_eq!(feeds[0]["titles"].as_array().unwrap().len(), 2);
    assert_eq!(feeds[1]["titles"].as_array().unwrap().len(), 1, "only what failed: {:#}", feeds[1]);
    let link = feeds[1]["links"][0].as_str().unwrap();
    assert!(link.starts_with("https://ci.example/pony/p/hay~20~26~20loft/"), "{link}");
    // All forms of a feed say the same, to the other parser, too.
    let script = r#"
import fastfeedparser, feedparser, json, sys
atom = feedparser.parse("site/rss2/failed.atom")
forms = [fastfeedparser.parse(open(f"site/rss2/failed.{form}").read()) for form in ("xml", "atom", "json")]
print(json.dumps([[[e.title, e.link, e.published] for e in f.entries] for f in forms]
    + [atom.bozo, atom.version, len(atom.entries)]))
"#;
    let mut python = command("python3", folder);
    let printed = expect(python.args(["-c", script]), b"", 0);
    let forms: Json = serde_json::from_str(&printed).unwrap();
    assert_eq!(forms[0].as_array().unwrap().len(), 1, "{forms:#}");
    assert_eq!((&forms[0], &forms[0]), (&forms[1], &forms[2]));
    assert_eq!((&forms[3], &forms[4], &forms[5]), (&false.into(), &"atom10".into(), &1.into()));
}

#[test]
fn pages_open_in_a_browser_from_disk() {
    if programs::peer("chromium", &["--version"]).is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let report = br#"<testsuite><testcase classname="a" name="b"><failure message="&lt;i&gt;not markup"/></testcase></testsuite>"#;
    let mut submit = command("pony-report", folder);
    expect(submit.args(["submit", "--repo", "results.git", "--package", "hayloft"]), report, 0);
    let page = format!("file://{}/index.html", latest_folder(folder, "hayloft").display());
    let mut chromium = command("chromium", folder);
    chromium
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--dump-dom", &page]);
    let dom = expect(&mut chromium, b"", 0);
    assert!(dom.contains("a::b") && dom.contains("&lt;i&gt;not markup"), "{dom}");
    assert!(!dom.contains("<i>not"), "{dom}");
}
