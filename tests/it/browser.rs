//! The site in a real browser: with scripts and without, from a disk and from a server, wide and narrow, light
//! and dark.
//!
//! Pictures of every page go to the folder in `PONY_PICTURES`, when it is set. axe-core is looked for in
//! `PONY_NODE_MODULES`, where `.ci/run` installs it.

mod driver;
mod story;

use std::path::{Path, PathBuf};

use driver::{Browser, ENTER, Look};
use pony_formats::ResultKey;

use crate::programs::{self, Collector, command, expect};

/// A site of the story.
struct Site {
    folder: tempfile::TempDir,
    /// The results of `atlas`, oldest first.
    keys: Vec<ResultKey>,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = story::tell(&folder.path().join("results.git"));
        let mut site = command("pony-site", folder.path());
        site.args(["build", "--repo", "results.git", "--out", "site", "--now", story::END]);
        expect(&mut site, b"", 0);
        Self { folder, keys }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The address of a page on the disk.
    fn page(&self, path: &str) -> String {
        format!("file://{}/site/{path}", self.path().display())
    }

    /// One page of every type.
    fn every_type(&self) -> Vec<(&'static str, String)> {
        let latest = self.keys.last().unwrap();
        vec![
            ("index", "index.html".into()),
            ("package", "p/hayloft/index.html".into()),
            ("result", format!("p/hayloft/{latest}/index.html")),
            ("results", "p/hayloft/show_all/index.html".into()),
            ("tests", "p/hayloft/tests/index.html".into()),
            ("test", "p/hayloft/test/hayloft.fork~3a~3atest_03/index.html".into()),
            ("line", format!("{LINE}index.html")),
            ("commit", format!("p/hayloft/commit/{}/index.html", story::commit_id(11))),
            ("machine", "machine/atlas/index.html".into()),
            ("compare", "p/hayloft/compare/index.html".into()),
            ("search", "search/index.html".into()),
            ("about", "about/index.html".into()),
            ("not found", "404.html".into()),
        ]
    }
}

const LINE: &str = "p/hayloft/line/nightly~00~00atlas~00linux-x86_64/";

/// The tests of a list that are not filtered out.
const SHOWN: &str = "[...document.querySelectorAll('#grid-rows tbody tr:not([hidden]) th')].map(it => it.textContent)";

#[test]
fn search_finds_tests_and_what_they_said_from_a_disk() {
    let site = Site::new();
    let Some(browser) = Browser::open(site.path(), Look::default()) else { return };
    browser.go(&site.page("index.html"));
    browser.type_into("[role=search] input", &format!("horses{ENTER}"));
    browser.wait("document.querySelectorAll('#search-results li').length > 1");
    assert!(browser.text("#search-results").contains("expected 5 horses"));
    browser.click("#search-results li a");
    browser.wait("document.querySelector('h1.test-id')");
    assert!(browser.address().contains("/test/hayloft"), "{}", browser.address());
    browser.back();
    browser.wait("document.querySelectorAll('#search-results li').length > 1");
    // A test that always passed is found, too, and shown among the others of its build line.
    browser.run("document.querySelector('[role=search] input').value = ''");
    browser.type_into("[role=search] input", &format!("hayloft tines 04{ENTER}"));
    browser.go(&site.page("search/index.html?q=hayloft+test_04"));
    browser.wait("document.querySelectorAll('#search-results li').length == 1");
    browser.click("#search-results li a");
    browser.wait("document.querySelector('#calm li:not([hidden])')");
    assert_eq!(browser.text("#calm li:not([hidden])"), "hayloft.tines::test_04");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn tables_sort_and_filters_narrow_and_the_address_remembers() {
    let site = Site::new();
    let Some(browser) = Browser::open(site.path(), Look::default()) else { return };
    browser.go(&site.page(&format!("{LINE}index.html")));
    let all = browser.run(&format!("return {SHOWN}.length")).as_u64().unwrap();
    assert!(all >= 4, "{all}");
    browser.type_into(".filter input[type=search]", "test_03");
    browser.wait(&format!("{SHOWN}.length == 1"));
    browser.reload();
    browser.wait(&format!("{SHOWN}.join() == 'hayloft.fork::test_03'"));
    browser.run("const it = document.querySelector('.filter input'); it.value = ''; it.dispatchEvent(new Event('input'))");
    browser.click(".filter input[value=failing]");
    browser.wait(&format!("!{SHOWN}.includes('hayloft.fork::test_03') && {SHOWN}.length > 1"));
    let took =
        "[...document.querySelectorAll('.results tbody td:last-child')].map(it => it.textContent)";
    browser.click(".results thead th:last-child button");
    browser.wait(&format!("{took}[0] == '1 min 1 s'"));
    browser.click(".results thead th:last-child button");
    browser.wait(&format!("{took}[0] == '1 min 38 s'"));
    let sorted = browser.run("return document.querySelector('.results th[aria-sort]').ariaSort");
    assert_eq!(sorted, "descending");
    browser.reload();
    browser.wait(&format!("{took}[0] == '1 min 38 s'"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn any_two_results_are_compared_and_the_back_button_goes_back() {
    let site = Site::new();
    let Some(browser) = Browser::open(site.path(), Look::default()) else { return };
    // Scripts may read other files of a server only.
    browser
        .go(&site
            .page(&format!("p/hayloft/compare/index.html?a={}&b={}", site.keys[0], site.keys[11])));
    browser.wait("document.querySelector('#comparison .notice')");
    assert!(browser.text("#comparison").contains("Serve the folder"));
    browser.complaints();
    let collector = Collector::start(site.path());
    let page = format!("{}p/hayloft/compare/index.html", collector.url);
    // What all pages share comes last.
    let shared = format!("{}index.html", collector.url);
    for _ in 0..600 {
        if ureq::get(&shared).call().is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    browser.go(&format!("{page}?a={}&b={}", site.keys[0], site.keys[11]));
    browser.wait("document.querySelectorAll('#comparison details').length == 3");
    let groups = "[...document.querySelectorAll('#comparison details')].map(it => it.innerText.replace(/\\s+/g, ' ').trim())";
    assert_eq!(
        browser.run(&format!("return {groups}")),
        serde_json::json!([
            "✗ Newly failing 2 hayloft.fork::test_03 hayloft.handle::test_05",
            "– Vanished 1 hayloft.fork::test_30",
            "↑ Slower 1 hayloft.handle::test_20 0.20 s → 2.50 s",
        ])
    );
    browser.click("#swap");
    browser.wait(&format!("{groups}.join().includes('Fixed')"));
    browser.back();
    browser.wait(&format!("{groups}.join().includes('Newly failing')"));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn without_scripts_everything_can_be_read() {
    let site = Site::new();
    let look = Look { without_scripts: true, ..Look::default() };
    let Some(browser) = Browser::open(site.path(), look) else { return };
    for (name, path) in site.every_type() {
        browser.go(&site.page(&path));
        let words = browser.text("main");
        assert!(words.len() > 60, "{name}: {words}");
        assert!(browser.text("footer").contains("Times are UTC"), "{name}");
    }
    browser.go(&site.page("p/hayloft/compare/index.html"));
    assert!(browser.text("main").contains("the page of every result says what changed"));
    browser.go(&site.page(&format!("p/hayloft/{}/index.html", site.keys[11])));
    browser.click("#others ~ details:last-of-type summary");
    assert!(browser.text("main").contains("hayloft.tines::test_04"));
}

#[test]
fn pages_fit_a_phone_and_a_wide_screen_in_light_and_dark() {
    let site = Site::new();
    for (dark, width) in [(false, None), (true, None), (false, Some(390)), (true, Some(390))] {
        let folder = tempfile::tempdir().unwrap();
        let look = Look { dark, width, ..Look::default() };
        let Some(browser) = Browser::open(folder.path(), look) else { return };
        for (name, path) in site.every_type() {
            browser.go(&site.page(&path));
            let place = format!("{name}, dark: {dark}, width: {width:?}");
            // The window may just have got its size back from the picture before.
            browser.wait(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth",
            );
            let ground = browser.run("return getComputedStyle(document.body).backgroundColor");
            let expected = if dark { "rgb(20, 23, 21)" } else { "rgb(250, 249, 246)" };
            assert_eq!(ground, expected, "{place}");
            assert_eq!(browser.complaints(), [""; 0], "{place}");
            assert_accessible(&browser, &place);
            take_picture(&browser, name, look);
        }
    }
}

/// Where `.ci/run` installs what comes from npm.
fn node_modules() -> Option<PathBuf> {
    let folder = std::env::var_os("PONY_NODE_MODULES").map(PathBuf::from);
    if folder.is_none() {
        programs::not_checked("PONY_NODE_MODULES is not set");
    }
    folder
}

/// Fails when axe-core finds something serious against the rules of WCAG 2.2 AA.
#[track_caller]
fn assert_accessible(browser: &Browser, place: &str) {
    let Some(modules) = node_modules() else { return };
    let axe = std::fs::read_to_string(modules.join("axe-core/axe.min.js")).unwrap();
    let script = format!(
        "{axe}\nconst done = arguments[arguments.length - 1];
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        axe.run({{ preload: false, runOnly: {{ type: 'tag', values: tags }} }}).then((found) => done(found.violations
            .map((it) => [it.impact, it.id, it.nodes.slice(0, 3).map((node) => node.html)])), (error) => done([['broken', String(error)]]))"
    );
    let found = browser.run_until_called(&script);
    let found = found.as_array().unwrap_or_else(|| panic!("{place}: {found:#}"));
    assert!(found.is_empty(), "{place}: {found:#?}");
}

fn take_picture(browser: &Browser, name: &str, look: Look) {
    let Some(folder) = std::env::var_os("PONY_PICTURES").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    let scheme = if look.dark { "dark" } else { "light" };
    let width = look.width.unwrap_or(1280);
    browser.picture(&folder.join(format!("{} {width} {scheme}.png", name)));
}

#[test]
fn pages_are_valid_html() {
    let Some(modules) = node_modules() else { return };
    let site = Site::new();
    let configuration = r#"{"root": true, "extends": ["html-validate:standard"], "rules": {
        "no-trailing-whitespace": "off", "doctype-style": "off"}}"#;
    let file = site.path().join("html-validate.json");
    std::fs::write(&file, configuration).unwrap();
    let mut validate = command("node", site.path());
    validate.arg(modules.join("html-validate/bin/html-validate.mjs"));
    validate.arg("--config").arg(&file).args(["--max-warnings", "0"]);
    let pages = site.every_type();
    expect(validate.args(pages.iter().map(|(_, path)| format!("site/{path}"))), b"", 0);
    // It would have said something.
    std::fs::write(site.path().join("wrong.html"), "<!doctype html><p><b>x</p></b><img>").unwrap();
    let mut validate = command("node", site.path());
    validate.arg(modules.join("html-validate/bin/html-validate.mjs"));
    expect(validate.arg("--config").arg(&file).arg("wrong.html"), b"", 1);
}
