//! A browser under WebDriver (<https://www.w3.org/TR/webdriver2/>): chromedriver over plain HTTP.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::programs;

/// How long a page may take to do what it was asked for before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key that submits a form.
pub(super) const ENTER: &str = "\u{e007}";

/// What a session is like.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    pub(super) dark: bool,
    pub(super) width: Option<u32>,
    pub(super) without_scripts: bool,
}

/// A browser with one window; both end when it is dropped.
pub(super) struct Browser {
    driver: Child,
    session: String,
}

impl Browser {
    /// `None` where there is no chromedriver.
    pub(super) fn open(folder: &Path, look: Look) -> Option<Self> {
        programs::peer("chromedriver", &["--version"])?;
        let mut driver = programs::command("chromedriver", folder)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("started successfully on port ")?;
                Some(rest.trim_end_matches('.').to_owned())
            })
            .unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Self { driver, session: format!("http://127.0.0.1:{port}/session") };
        let created = browser.post("", &capabilities(folder, look));
        let id = created["sessionId"].as_str().unwrap_or_else(|| panic!("{created:#}")).to_owned();
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    pub(super) fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    pub(super) fn back(&self) {
        self.post("/back", &json!({}));
    }

    pub(super) fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    pub(super) fn address(&self) -> String {
        self.get("/url").as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script; `return` gives its value.
    pub(super) fn run(&self, script: &str) -> Json {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Runs a script that ends by calling its last argument.
    pub(super) fn run_until_called(&self, script: &str) -> Json {
        self.post("/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// The text that can be seen of the first element that fits.
    #[track_caller]
    pub(super) fn text(&self, selector: &str) -> String {
        let text = self.get(&format!("/element/{}/text", self.find(selector)));
        text.as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(super) fn click(&self, selector: &str) {
        let done = self.post(&format!("/element/{}/click", self.find(selector)), &json!({}));
        assert!(done.is_null(), "{selector}: {done:#}");
    }

    #[track_caller]
    pub(super) fn type_into(&self, selector: &str, text: &str) {
        let done =
            self.post(&format!("/element/{}/value", self.find(selector)), &json!({ "text": text }));
        assert!(done.is_null(), "{selector}: {done:#}");
    }

    /// Waits until a script returns true.
    #[track_caller]
    pub(super) fn wait(&self, what: &str) {
        let begun = Instant::now();
        while self.run(&format!("return Boolean({what})")) != Json::Bool(true) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} never was so at {}: {}",
                self.address(),
                self.run("return document.body.innerText")
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the browser complained of since it was asked last: errors of scripts, refused requests.
    pub(super) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let said = |entry: &Json| Some(entry["message"].as_str()?.to_owned());
        entries.iter().filter(|entry| entry["level"] == "SEVERE").filter_map(said).collect()
    }

    /// A picture of the whole page, into a file.
    pub(super) fn picture(&self, path: &Path) {
        let height =
            self.run("return document.documentElement.scrollHeight").as_u64().unwrap_or(1000);
        let width = self.run("return window.innerWidth").as_u64().unwrap_or(1280);
        let size = json!({ "width": width, "height": height.clamp(400, 6000) });
        self.post("/window/rect", &size);
        let picture = self.get("/screenshot");
        let decoded = base64(picture.as_str().unwrap_or_default());
        std::fs::write(path, decoded).unwrap();
    }

    #[track_caller]
    fn find(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|object| object.values().next()?.as_str());
        id.unwrap_or_else(|| panic!("no {selector} at {}: {found:#}", self.address())).to_owned()
    }

    fn get(&self, path: &str) -> Json {
        let address = format!("{}{path}", self.session);
        let response = agent().get(&address).call().unwrap();
        value_of(&response.into_body().read_to_string().unwrap())
    }

    fn post(&self, path: &str, body: &Json) -> Json {
        let address = format!("{}{path}", self.session);
        let request = agent().post(&address).header("Content-Type", "application/json");
        let response = request.send(body.to_string()).unwrap();
        value_of(&response.into_body().with_config().limit(50_000_000).read_to_string().unwrap())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = agent().delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Errors of the browser are answers, too.
fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(2 * PATIENCE)).build().into()
}

fn value_of(answer: &str) -> Json {
    serde_json::from_str::<Json>(answer).map(|answer| answer["value"].clone()).unwrap_or_default()
}

fn capabilities(folder: &Path, look: Look) -> Json {
    let profile = folder.join("profile");
    let mut args: Vec<String> = [
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "disable-dev-shm-usage",
        "hide-scrollbars",
    ]
    .map(str::to_owned)
    .to_vec();
    args.push(format!("user-data-dir={}", profile.display()));
    args.push(format!("window-size={},1000", look.width.unwrap_or(1280)));
    if look.dark {
        args.push("blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut options = json!({ "args": args });
    if let Some(width) = look.width {
        // A window cannot be as narrow as a phone.
        let metrics = json!({ "width": width, "height": 800, "pixelRatio": 1.0, "touch": true });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    if look.without_scripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL" },
    } } })
}

/// Reads base64 as WebDriver writes it.
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte));
    let digits: Vec<u32> = digits.map(|digit| digit as u32).collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        let three = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        bytes.extend(&three[..four.len() - 1]);
    }
    bytes
}
