//! Every JSON that a site publishes is as its schema says.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Registry, Validator};
use pony_formats::{Bag, Value as Sent};
use pony_site::Options;
use serde_json::{Value, json};

use crate::gathered::result;
use crate::place::{Place, options};

/// Where the schemas are, for what they call each other.
const BASE: &str = "https://pony.test/schema/";

/// The schema of a file; `None` when it is for nobody but the next build.
fn schema_of(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split('/').collect();
    Some(match parts.as_slice() {
        [".pony-site.json"] | ["p", _, "state.json"] => return None,
        ["schema", _] => return None,
        ["index.json"] => "index.json",
        ["annotations.json"] => "annotations.json",
        ["machine", _, "index.json"] => "machine.json",
        ["rss2", ..] | ["p", _, "line", _, "changes.json"] => "feed.json",
        ["p", _, "badge.json"] | ["p", _, "badge", _] | ["p", _, "line", _, "badge.json"] => {
            "badge.json"
        }
        ["p", _, "index.json"] => "package.json",
        ["p", _, "tests", "index.json"] => "tests.json",
        ["p", _, "show_all", "index.json"] | ["p", _, "show_all", _, "index.json"] => {
            "show_all.json"
        }
        ["p", _, "commit", _, "index.json"] => "commit.json",
        ["p", _, "line", _, "index.json"] => "line.json",
        ["p", _, "history", _] => "history.json",
        ["p", _, _, "result.json"] => "result.json",
        _ => panic!("{path} has no schema"),
    })
}

/// Fields that a schema does not name are allowed, so that some can be added. Here they are not: what is published
/// is to be documented.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(strict);
            let names_fields = object.get("properties").is_some_and(Value::is_object);
            if names_fields && object.get("type") == Some(&json!("object")) {
                object.entry("additionalProperties").or_insert(false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

/// The schemas of a site, by name.
fn schemas(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Value> {
    let schemas = files.iter().filter_map(|(path, content)| {
        let name = path.strip_prefix("schema/")?;
        let mut schema = serde_json::from_slice(content).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        strict(&mut schema);
        Some((name.to_owned(), schema))
    });
    schemas.collect()
}

/// Returns how many files of each kind there were.
fn check(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&'static str, usize> {
    let schemas = schemas(files);
    let mut registry = Registry::new();
    for (name, schema) in &schemas {
        registry = registry.add(format!("{BASE}{name}"), schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let validator = |name: &str| -> Validator {
        let options = jsonschema::options().with_registry(&registry);
        let options = options.with_base_uri(format!("{BASE}{name}"));
        options.should_validate_formats(true).build(&schemas[name]).unwrap()
    };
    let mut validators: BTreeMap<&str, Validator> = BTreeMap::new();
    let mut checked = BTreeMap::new();
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".json")) {
        let Some(name) = schema_of(path) else { continue };
        let validator = validators.entry(name).or_insert_with(|| validator(name));
        let found = serde_json::from_slice(content).unwrap();
        let errors = validator.iter_errors(&found);
        let errors: Vec<_> =
            errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{path}, by {name}: {errors:#?}");
        *checked.entry(name).or_default() += 1;
    }
    checked
}

#[test]
fn every_json_of_a_site_is_as_its_schema_says() {
    let place = Place::with_history();
    let odd = Bag::from([("$double".to_owned(), Sent::Double(f64::NAN))]);
    let mut sent = result((5000, "cart", "atlas", 'f'), 1.0, &[("t", 'F')]);
    sent.0.client_info = sent.0.client_info.with("odd", Sent::Struct(odd)).unwrap();
    let keys = place.append(&[sent]);
    let text = format!(
        "[[quarantine]]\npackage = \"cart\"\ntest = \"t\"\nreason = \"r\"\nexpires = 2030-01-01\n\
         [[note]]\nmachine = \"atlas\"\ntext = \"n\"\n[[note]]\nresult = \"{}\"\ntext = \"n\"\n\
         link = \"https://example.org/\"\n[[oops]]\n",
        keys[0]
    );
    place.meddle("annotations/a.toml", Some(&text.replace("[[oops]]\n", "")));
    place.meddle("annotations/b.toml", Some(&text));
    let base_url = Some("https://ci.example/".to_owned());
    let hub = Some("https://hub.example/".to_owned());
    place.build_with("site", &Options { base_url, hub, ..options() }).unwrap();
    let files = place.files("site");
    let checked = check(&files);
    let kinds: BTreeSet<String> = schemas(&files).into_keys().collect();
    let seen = checked.keys().map(|name| (*name).to_owned()).chain(["shared.json".to_owned()]);
    assert_eq!(seen.collect::<BTreeSet<_>>(), kinds, "each kind is on the site");
    assert!(checked["result.json"] > 20, "{checked:?}");
}

#[test]
#[should_panic(expected = "p/khmer/index.json, by package.json")]
fn what_a_schema_does_not_name_is_noticed() {
    let place = Place::with_history();
    place.build("site");
    let mut files = place.files("site");
    let index = files.get_mut("p/khmer/index.json").unwrap();
    let mut json: Value = serde_json::from_slice(index).unwrap();
    json["lines"][0]["mood"] = "fine".into();
    *index = json.to_string().into_bytes();
    check(&files);
}
