//! The same feed in three forms: RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1.

use askama::Template;
use jiff::Timestamp;
use serde_json::json;

/// The last parts of a feed's addresses, each with the form that is there.
const EXTENSIONS: [&str; 3] = ["xml", "atom", "json"];

/// A feed; every text is fit for XML.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub(crate) title: String,
    pub(crate) description: &'static str,
    /// The page that it is about.
    pub(crate) link: String,
    /// Its own address below the root of the site, without the extension.
    pub(crate) own: String,
    /// The address of the site, when it is known: only then the feed can name its own.
    pub(crate) base_url: Option<String>,
    /// The WebSub hub that tells subscribers at once.
    pub(crate) hub: Option<String>,
    /// When the newest item came.
    pub(crate) built: Option<Timestamp>,
    /// The newest first.
    pub(crate) items: Vec<Item>,
}

/// An entry of a feed; every text is fit for XML.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) title: String,
    pub(crate) link: String,
    /// Its name for ever.
    pub(crate) guid: String,
    /// Whether the name is an address.
    pub(crate) is_perma_link: bool,
    /// HTML.
    pub(crate) description: String,
    pub(crate) published: Timestamp,
}

#[derive(Template)]
#[template(path = "feed.xml", whitespace = "minimize")]
struct Rss<'a> {
    feed: &'a Feed,
    own: Option<String>,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "feed.atom", escape = "xml", whitespace = "minimize")]
struct Atom<'a> {
    feed: &'a Feed,
    id: String,
    own: Option<String>,
    updated: String,
    version: &'static str,
}

impl Feed {
    /// All forms, with their extensions.
    pub(crate) fn forms(&self) -> Result<[(&'static str, String); 3], askama::Error> {
        let [rss, atom, json] = EXTENSIONS;
        Ok([(rss, self.rss()?), (atom, self.atom()?), (json, self.json())])
    }

    /// As RSS 2.0.
    pub(crate) fn rss(&self) -> Result<String, askama::Error> {
        let [extension, ..] = EXTENSIONS;
        Rss { feed: self, own: self.own(extension), version: env!("CARGO_PKG_VERSION") }.render()
    }

    fn atom(&self) -> Result<String, askama::Error> {
        let [_, extension, _] = EXTENSIONS;
        let own = self.own(extension);
        let feed = Atom {
            feed: self,
            id: own.clone().unwrap_or_else(|| format!("urn:x-pony:{}", self.own)),
            own,
            // Something has to be there, also before anything happened.
            updated: rfc3339(self.built.unwrap_or(Timestamp::UNIX_EPOCH)),
            version: env!("CARGO_PKG_VERSION"),
        };
        feed.render()
    }

    fn json(&self) -> String {
        let [.., extension] = EXTENSIONS;
        let items = self.items.iter().map(|item| {
            json!({
                "id": item.iri(),
                "url": item.link,
                "title": item.title,
                "content_html": item.description,
                "date_published": rfc3339(item.published),
            })
        });
        let mut feed = json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.title,
            "description": self.description,
            "home_page_url": self.link,
            "items": items.collect::<Vec<_>>(),
        });
        if let (Some(own), Some(object)) = (self.own(extension), feed.as_object_mut()) {
            object.insert("feed_url".to_owned(), own.into());
            if let Some(hub) = &self.hub {
                let hubs = json!([{ "type": "WebSub", "url": hub }]);
                object.insert("hubs".to_owned(), hubs);
            }
        }
        pony_formats::json::pretty(&feed)
    }

    fn own(&self, extension: &str) -> Option<String> {
        Some(format!("{}{}.{extension}", self.base_url.as_ref()?, self.own))
    }

    /// The hub, where the feed can say what to subscribe to there.
    fn hub(&self) -> Option<&str> {
        self.hub.as_deref().filter(|_| self.base_url.is_some())
    }

    fn built(&self) -> Option<String> {
        self.built.map(rfc822)
    }
}

impl Item {
    /// Its name as Atom wants it.
    fn iri(&self) -> String {
        match self.is_perma_link {
            true => self.guid.clone(),
            false => format!("urn:x-pony:{}", self.guid),
        }
    }

    fn rfc822(&self) -> String {
        rfc822(self.published)
    }

    fn rfc3339(&self) -> String {
        rfc3339(self.published)
    }
}

/// `Sun, 01 Mar 2026 12:34:56 GMT`.
fn rfc822(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `2026-03-01T12:34:56Z`.
fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(base_url: Option<&str>, hub: Option<&str>) -> Feed {
        let published: Timestamp = "2026-03-01T12:34:56Z".parse().unwrap();
        let item = Item {
            title: "a <b> & c".into(),
            link: "https://ci.example/p/a/1/".into(),
            guid: "pony-change-1".into(),
            is_perma_link: false,
            description: "status: success<br>x".into(),
            published,
        };
        Feed {
            title: "Changes".into(),
            description: "What changed.",
            link: "https://ci.example/".into(),
            own: "rss2/changes".into(),
            base_url: base_url.map(str::to_owned),
            hub: hub.map(str::to_owned),
            built: Some(published),
            items: vec![item],
        }
    }

    #[test]
    fn the_three_forms_have_the_same_items() {
        let forms =
            feed(Some("https://ci.example/"), Some("https://hub.example/")).forms().unwrap();
        insta::assert_snapshot!(
            forms.map(|(extension, text)| format!("== {extension}\n{text}")).join("\n")
        );
    }

    #[test]
    fn a_feed_that_does_not_know_its_address_names_no_hub() {
        for (_, text) in feed(None, Some("https://hub.example/")).forms().unwrap() {
            assert!(!text.contains("hub.example") && !text.contains("rel=\"self\""), "{text}");
        }
    }
}
