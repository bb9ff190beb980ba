//! The five methods, as an honest client uses them.

use pony_formats::{Bag, Value};

use crate::collector::{Place, client_info};

/// The three bags of an answer.
#[track_caller]
fn triple(answer: &Value) -> (&Bag, &Bag, &[Value]) {
    let [receipt, client_info, results_list] = answer.as_array().unwrap() else {
        panic!("{answer:?}")
    };
    (
        receipt.as_struct().unwrap(),
        client_info.as_struct().unwrap(),
        results_list.as_array().unwrap(),
    )
}

fn strings(items: &[&str]) -> Value {
    Value::Array(items.iter().map(|&item| item.into()).collect())
}

#[test]
fn a_submission_comes_back_as_it_was_sent() {
    let place = Place::new();
    let collector = place.start(&[]);
    let mut info = client_info("a/b & c é", false);
    info.insert("duration".into(), Value::Double(12.503_218_889_236_45));
    info.insert("tempdir".into(), Value::Nil);
    info.insert("my own key".into(), Value::Array(vec![Value::Nil, Value::Int(1 << 40)]));
    info.insert(String::new(), Value::Base64(vec![0, 255]));
    let nested = Bag::from([("status".to_owned(), Value::Int(0)), ("output".into(), " \n".into())]);
    let checkout = Bag::from([
        ("type".to_owned(), "setup".into()),
        ("out".into(), "".into()),
        ("create cache".into(), Value::Struct(nested)),
    ]);
    let command = Bag::from([
        ("status".to_owned(), Value::Int(-11)),
        ("output".into(), "  3 < 4 & counting\r\n\t".into()),
        ("errout".into(), "Segmentation fault\n".into()),
        ("command".into(), strings(&["make", "check"])),
        ("type".into(), "test".into()),
        ("duration".into(), Value::Nil),
    ]);
    let steps = vec![Value::Struct(checkout), Value::Struct(command), Value::Struct(Bag::new())];

    let (key, auth_key) = collector.add_with_steps(info.clone(), steps.clone());

    assert!(auth_key.len() == 32 && auth_key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    for key in [Value::Int(key), key.to_string().into()] {
        let answer = collector.call("get_results", &[key]);
        let (receipt, client_info, results_list) = triple(&answer);
        assert_eq!((client_info, results_list), (&info, steps.as_slice()));
        assert!(receipt["time"].as_f64().unwrap() > 1e9);
    }
    place.fsck();
}

#[test]
fn the_receipt_names_the_key_and_no_address() {
    let place = Place::new();
    let collector = place.start(&[]);
    let (key, _) = collector.add(client_info("hayloft", true));
    let answer = collector.call("get_results", &[key.into()]);
    let (receipt, ..) = triple(&answer);
    assert_eq!(receipt["result_key"], key.to_string().into());
    assert_eq!(receipt["client_ip"], "".into());
    assert_eq!(receipt.len(), 3);
}

#[test]
fn addresses_are_stored_on_demand() {
    let place = Place::new();
    let collector = place.start(&["--store-addresses"]);
    let (key, _) = collector.add(client_info("hayloft", true));
    let answer = collector.call("get_results", &[key.into()]);
    assert_eq!(triple(&answer).0["client_ip"], "127.0.0.1".into());
}

#[test]
fn equal_submissions_are_two_results_with_rising_keys() {
    let place = Place::new();
    let collector = place.start(&[]);
    let first = collector.add(client_info("hayloft", true));
    let second = collector.add(client_info("hayloft", true));
    assert!(first.0 < second.0);
    assert_ne!(first.1, second.1);
}

#[test]
fn tagsets_are_sets_with_three_members_more() {
    let place = Place::new();
    let collector = place.start(&[]);
    collector.add(client_info("hayloft", true));
    let mut again = client_info("hayloft", true);
    again.insert("tags".into(), strings(&["nightly", "nightly"]));
    collector.add(again);
    let mut untagged = client_info("hayloft", true);
    untagged.insert("tags".into(), Value::Nil);
    collector.add(untagged);

    let tagsets = |package: &str| collector.call("get_tagsets_for_package", &[package.into()]);
    let mut lines: Vec<Vec<String>> = tagsets("hayloft")
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let members = line.as_array().unwrap().iter().map(|m| m.as_str().unwrap().to_owned());
            let mut members: Vec<_> = members.collect();
            members.sort();
            members
        })
        .collect();
    lines.sort();
    let own = ["__arch=linux-x86_64", "__host=shed", "__package=hayloft"];
    assert_eq!(lines, [own.to_vec(), [own.as_slice(), &["nightly"]].concat()]);
    assert_eq!(tagsets("nobody knows"), Value::Array(vec![]));
}

#[test]
fn the_last_result_is_that_of_exactly_this_tagset() {
    let place = Place::new();
    let collector = place.start(&[]);
    collector.add(client_info("hayloft", false));
    let (newest, _) = collector.add(client_info("hayloft", true));

    let last = |package: &str, members: &[&str]| {
        collector.call("get_last_result_for_tagset", &[package.into(), strings(members)])
    };
    let own = ["nightly", "__host=shed", "__arch=linux-x86_64", "__package=hayloft"];
    // The original alternates between the newest and the oldest.
    for _ in 0..2 {
        let answer = last("hayloft", &own);
        let (receipt, client_info, _) = triple(&answer);
        assert_eq!(receipt["result_key"], newest.to_string().into());
        assert_eq!(client_info["success"], true.into());
    }
    assert_eq!(last("hayloft", &own[1..]), Value::Int(0));
    assert_eq!(last("hayloft", &[own.as_slice(), &["more"]].concat()), Value::Int(0));
    assert_eq!(last("orchard", &own), Value::Int(0));
    assert_eq!(last("hayloft", &[]), Value::Int(0));
}

#[test]
fn a_machine_is_told_whether_to_build() {
    let place = Place::new();
    let collector = place.start(&[]);
    let mut asked = client_info("hayloft", true);
    asked.remove("success");
    let check = |params: &[Value]| -> bool {
        let answer = collector.call("check_should_build", params);
        let [Value::Bool(flag), Value::String(reason)] = answer.as_array().unwrap() else {
            panic!("{answer:?}")
        };
        assert!(!reason.is_empty());
        *flag
    };
    let info = || Value::Struct(asked.clone());

    assert!(check(&[info(), false.into()]), "nothing is known yet");
    assert!(check(&[info(), true.into(), Value::Int(0)]));
    assert!(!check(&[info()]), "it is being built");
    collector.add(client_info("hayloft", false));
    assert!(check(&[info(), true.into(), Value::Nil]), "the build has failed");
    assert!(!check(&[info(), false.into(), Value::Double(0.5)]), "it is being built again");
    collector.add(client_info("hayloft", true));
    assert!(!check(&[info()]), "up to date");
}

#[test]
fn what_cannot_be_answered_is_a_fault() {
    let place = Place::new();
    let collector = place.start(&[]);
    let info = || Value::Struct(client_info("hayloft", true));
    let with = |key: &str, value: Value| {
        let mut bag = client_info("hayloft", true);
        bag.insert(key.to_owned(), value);
        Value::Struct(bag)
    };
    let nothing = || Value::Array(vec![]);
    let endless = "m".repeat(1_000_000);
    let cases: Vec<(&str, Vec<Value>, i64)> = vec![
        ("add_results", vec![], -32602),
        ("add_results", vec![info()], -32602),
        ("add_results", vec![info(), nothing(), Value::Nil], -32602),
        ("add_results", vec![nothing(), nothing()], -32602),
        ("add_results", vec![info(), Value::Struct(Bag::new())], -32602),
        ("add_results", vec![info(), Value::Array(vec![Value::Int(1)])], -32602),
        ("add_results", vec![with("package", "".into()), nothing()], -32602),
        ("add_results", vec![with("package", "x".repeat(65_000).into()), nothing()], -32602),
        ("add_results", vec![with("host", Value::Nil), nothing()], -32602),
        (
            "add_results",
            vec![with("tags", Value::Array(vec!["t".into(); 10_001])), nothing()],
            -32602,
        ),
        ("add_results", vec![with("tags", strings(&["__package=x"])), nothing()], -32602),
        ("add_results", vec![with("success", "yes".into()), nothing()], -32602),
        ("check_should_build", vec![], -32602),
        ("check_should_build", vec![with("arch", Value::Int(1))], -32602),
        ("check_should_build", vec![info(), true.into(), "soon".into()], -32602),
        ("get_results", vec![], -32602),
        ("get_results", vec![Value::Bool(true)], -32602),
        ("get_results", vec![Value::Int(0)], -32500),
        ("get_results", vec![Value::Int(1_234_567_890_123_456_789)], -32500),
        ("get_results", vec!["seven".into()], -32500),
        ("get_tagsets_for_package", vec![Value::Int(1)], -32602),
        ("get_last_result_for_tagset", vec!["hayloft".into(), "nightly".into()], -32602),
        (
            "get_last_result_for_tagset",
            vec!["hayloft".into(), Value::Array(vec![Value::Nil])],
            -32602,
        ),
        ("__init__", vec![], -32601),
        ("coordinator.db", vec![], -32601),
        ("system.listMethods", vec![], -32601),
        ("", vec![], -32601),
        (&endless, vec![], -32601),
    ];
    for (method, params, code) in cases {
        let method_shown: String = method.chars().take(40).collect();
        let fault = collector.answer(method, &params).expect_err(&method_shown);
        assert_eq!(fault.code, code, "{method_shown}: {fault}");
        assert!(fault.message.len() < 300, "{method_shown}");
    }
    assert_eq!(collector.call("get_tagsets_for_package", &["hayloft".into()]), nothing());
}
