//! What honest clients send, and what others do.

use proptest::prelude::*;

use super::super::{write_call, write_fault, write_response};
use super::*;

/// A call with one argument.
fn call_with(value: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodCall>\n<methodName>m</methodName>\n<params>\n<param>\n\
         {value}\n</param>\n</params>\n</methodCall>\n"
    )
}

fn read(body: impl AsRef<[u8]>) -> Result<Call, WireError> {
    read_call(body.as_ref(), &Limits::DEFAULT)
}

/// The argument of a call.
fn value_of(value: &str) -> Value {
    read(call_with(value)).unwrap().params.remove(0)
}

/// The error that an argument gives.
fn refused(value: &str) -> (i64, String) {
    let error = read(call_with(value)).unwrap_err();
    (error.code, error.message)
}

fn code_of(body: impl AsRef<[u8]>) -> i64 {
    read(body).unwrap_err().code
}

#[test]
fn a_call_as_python_writes_it() {
    let body = "<?xml version='1.0'?>\n<methodCall>\n<methodName>check_should_build</methodName>\n\
        <params>\n<param>\n<value><struct>\n<member>\n<name>tags</name>\n<value><array><data>\n\
        <value><string>3.12</string></value>\n</data></array></value>\n</member>\n<member>\n\
        <name>package</name>\n<value><string>orchard</string></value>\n</member>\n\
        </struct></value>\n</param>\n<param>\n<value><boolean>1</boolean></value>\n</param>\n\
        </params>\n</methodCall>\n";
    let bag = Bag::from([
        ("tags".to_owned(), Value::Array(vec!["3.12".into()])),
        ("package".to_owned(), "orchard".into()),
    ]);
    let params = vec![Value::Struct(bag), Value::Bool(true)];
    let expected = Call { method: "check_should_build".into(), params, sanitised: false };
    assert_eq!(read(body), Ok(expected));
}

#[test]
fn params_may_be_missing() {
    for rest in ["", "<params/>", "<params>\n</params>"] {
        let body = format!("<methodCall><methodName>m</methodName>{rest}</methodCall>");
        assert_eq!(read(&body).unwrap().params, [], "{rest}");
    }
}

#[test]
fn every_spelling_of_a_value_is_read() {
    let text = |text: &str| Value::from(text);
    let cases = [
        ("<value><int>-5</int></value>", Value::Int(-5)),
        ("<value><i4>+7</i4></value>", Value::Int(7)),
        ("<value><i8> 9223372036854775807\n</i8></value>", Value::Int(i64::MAX)),
        ("<value>\n<int>1</int>\n</value>", Value::Int(1)),
        ("<value><boolean> 0 </boolean></value>", Value::Bool(false)),
        ("<value><double> 1e-05 </double></value>", Value::Double(1e-5)),
        ("<value><double>inf</double></value>", Value::Double(f64::INFINITY)),
        ("<value><nil/></value>", Value::Nil),
        ("<value><nil></nil></value>", Value::Nil),
        ("<value> a b </value>", text(" a b ")),
        ("<value> \n </value>", text(" \n ")),
        ("<value/>", text("")),
        ("<value><string/></value>", text("")),
        ("<value><string>  \t </string></value>", text("  \t ")),
        ("<value><string>a&lt;b&amp;c&#65;&#x42;</string></value>", text("a<b&cAB")),
        ("<value><string>a<!-- x --><![CDATA[<&>]]>b</string></value>", text("a<&>b")),
        ("<value><string>1\r\n2\r3&#13;\n</string></value>", text("1\n2\n3\r\n")),
        ("<value><string>\x1b[1m&#27;\0&#0;\u{c}</string></value>", text("\x1b[1m\x1b\0\0\u{c}")),
        ("<value><base64>aGkg\ndGhlcmU=</base64></value>", Value::Base64(b"hi there".to_vec())),
        (
            "<value><dateTime.iso8601>20260102T03:04:05</dateTime.iso8601></value>",
            Value::DateTime("20260102T03:04:05".into()),
        ),
        ("<value><array><data/></array></value>", Value::Array(vec![])),
        ("<value><struct/></value>", Value::Struct(Bag::new())),
        (
            "<value><array><data><value><array><data/></array></value><value/></data></array></value>",
            Value::Array(vec![Value::Array(vec![]), text("")]),
        ),
        (
            "<value><struct><member><name></name><value><struct/></value></member><member>\
             <name> a b</name><value><nil/></value></member></struct></value>",
            Value::Struct(Bag::from([
                (String::new(), Value::Struct(Bag::new())),
                (" a b".into(), Value::Nil),
            ])),
        ),
    ];
    for (wire, value) in cases {
        assert_eq!(value_of(wire), value, "{wire:?}");
    }
    assert!(matches!(value_of("<value><double>nan</double></value>"),
        Value::Double(n) if n.is_nan()));
}

#[test]
fn a_member_has_a_name_that_can_be_written() {
    for name in ["a\0", "\u{1b}[1m", "\u{ffff}"] {
        let member = format!("<member><name>{name}</name><value/></member>");
        let error =
            read(call_with(&format!("<value><struct>{member}</struct></value>"))).unwrap_err();
        assert_eq!(error.code, -32702, "{error}");
        assert!(!error.message.contains(char::is_control), "{error}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_latin1() {
    let body = call_with("<value><string>caf? ©</string></value>").into_bytes();
    let body: Vec<u8> = body.into_iter().map(|b| if b == b'?' { 0xe9 } else { b }).collect();
    // The declaration has two question marks; they are what an honest client sends.
    let body = [b"<?xml version='1.0'?>".as_slice(), &body[21..]].concat();
    let call = read(body).unwrap();
    assert_eq!(call.params, ["café ©".into()]);
    assert!(call.sanitised);
}

#[test]
fn a_declared_encoding_is_followed() {
    let body = |encoding: &str| {
        let call = call_with("<value>\u{fffd}</value>");
        let call = call.replace("'1.0'", &format!("'1.0' encoding='{encoding}'"));
        let at = call.find('\u{fffd}').unwrap();
        [&call.as_bytes()[..at], b"\xe9", &call.as_bytes()[at + 3..]].concat()
    };
    let call = read(body("ISO-8859-1")).unwrap();
    assert_eq!((call.params, call.sanitised), (vec!["é".into()], false));
    assert_eq!(code_of(body("utf-7")), -32700);
    let marked = [b"\xef\xbb\xbf".as_slice(), call_with("<value>é</value>").as_bytes()].concat();
    assert_eq!(read(marked).unwrap().params, ["é".into()]);
    assert_eq!(code_of(b"\xff\xfe<\0a\0/\0>\0"), -32700);
}

#[test]
fn documents_that_are_not_well_formed_are_refused() {
    let whole = call_with("<value>x</value>");
    let cases = [
        String::new(),
        " \n".into(),
        "\u{0}\u{1}\u{2}".into(),
        "not xml".into(),
        "<methodCall>".into(),
        whole.trim_end().trim_end_matches("</methodCall>").into(),
        whole[..whole.len() / 2].into(),
        format!("{whole}<methodCall/>"),
        format!("{whole}x"),
        format!("{whole}&amp;"),
        format!("{whole}<![CDATA[]]>"),
        whole.replace("<methodCall>", "<methodCall a='1' a='2'>"),
        whole.replace("<methodCall>", "<methodCall a=1>"),
        whole.replace("<methodCall>", "<methodCall a='<'>"),
        whole.replace("<methodCall>", "<methodCall a='&no;'>"),
        whole.replace("</value>", "</valu>"),
        whole.replace('x', "&nbsp;"),
        whole.replace(">x", ">& x"),
        whole.replace(">x", "><![CDATA[x"),
        whole.replace(">x", "><!-- x"),
        format!(" {whole}"),
        whole.replacen('\n', "\n<!DOCTYPE methodCall>\n", 1),
        whole.replacen('\n', "<!DOCTYPE r SYSTEM \"file:///etc/passwd\">", 1),
        whole.replacen('\n', "<!DOCTYPE r [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]>", 1),
    ];
    for body in cases {
        let error = read(&body).expect_err(&body);
        assert_eq!(error.code, -32700, "{body}: {error}");
    }
    for reference in ["&#xD800;", "&#x110000;", "&#+65;"] {
        assert_eq!(code_of(whole.replace(">x", &format!(">{reference}"))), -32702, "{reference}");
    }
}

#[test]
fn documents_that_are_no_call_are_refused() {
    let cases = [
        "<html><body/></html>",
        "<methodResponse/>",
        "<methodCall/>",
        "<methodCall><params/></methodCall>",
        "<methodCall><methodName><b/></methodName></methodCall>",
        "<methodCall><methodName>m</methodName>x</methodCall>",
        "<methodCall><methodName>m</methodName><params/><params/></methodCall>",
        "<methodCall><methodName>m</methodName><params><value/></params></methodCall>",
        "<methodCall><methodName>m</methodName><params><param/></params></methodCall>",
    ];
    for body in cases {
        assert_eq!(code_of(body), -32600, "{body}");
    }
    for value in [
        "<value><text>x</text></value>",
        "<value>x<int>1</int></value>",
        "<value><int>1</int><int>2</int></value>",
        "<value><int>1</int>x</value>",
        "<value><array/></value>",
        "<value><array><data><int>1</int></data></array></value>",
        "<value/><value/>",
    ] {
        assert_eq!(code_of(call_with(value)), -32600, "{value}");
    }
}

#[test]
fn values_that_cannot_be_taken_are_refused() {
    let cases = [
        "<int>9223372036854775808</int>",
        "<int>1e5</int>",
        "<int>+-1</int>",
        "<int/>",
        "<int>0.7</int>",
        "<boolean>2</boolean>",
        "<boolean>true</boolean>",
        "<double/>",
        "<double>1,5</double>",
        "<nil>x</nil>",
        "<dateTime.iso8601>00000000T99:99:99</dateTime.iso8601>",
        "<base64>a*b=</base64>",
        "<base64>aGk</base64>",
        "<struct><member><value/></member></struct>",
        "<struct><member><name>a</name><value/></member><member><name>a</name><value/></member></struct>",
    ];
    for value in cases {
        assert_eq!(refused(&format!("<value>{value}</value>")).0, -32602, "{value}");
    }
    let (_, message) = refused("<value><int>seven\n</int></value>");
    assert_eq!(message, "`seven` is no <int>");
}

#[test]
fn errors_say_where() {
    let error = read("<methodCall>\n  <methodName>é</methodName><oops/></methodCall>").unwrap_err();
    assert_eq!(error.to_string(), "2:29: expected <params>, found <oops>");
    let error = read("<methodCall>\n</methodCal>").unwrap_err();
    assert_eq!(error.position, crate::Position { line: 2, column: 1 });
}

#[test]
fn limits_hold() {
    let deep = "<value><array><data>".repeat(200_000);
    assert_eq!(refused(&deep), (-32602, "over the limit of 64 levels, too deep".into()));

    let attributes: String = (0..80_000).map(|n| format!(" a{n}='1'")).collect();
    let body = format!("<methodCall{attributes}/>");
    assert_eq!(code_of(body), -32602);

    let limits = Limits { xml_events_max: 1000, ..Limits::DEFAULT };
    let comments = call_with(&"<!-- -->".repeat(1000));
    assert_eq!(read_call(comments.as_bytes(), &limits).unwrap_err().code, -32602);

    let limits = Limits { input_bytes_max: 10, ..Limits::DEFAULT };
    assert_eq!(read_call(b"<methodCall/>", &limits).unwrap_err().code, -32602);
}

#[test]
fn answers_are_read_back() {
    let limits = Limits::DEFAULT;
    let answer = write_response(&Value::Int(0));
    assert_eq!(read_response(answer.as_bytes(), &limits), Ok(Response::Success(Value::Int(0))));
    let fault = Fault { code: -32500, message: "try <later>".into() };
    let answer = write_fault(&fault);
    assert_eq!(read_response(answer.as_bytes(), &limits), Ok(Response::Fault(fault)));
    for broken in [
        "<methodResponse/>",
        "<methodResponse><params/></methodResponse>",
        "<methodResponse><fault><value><int>1</int></value></fault></methodResponse>",
        "<html/>",
    ] {
        assert_eq!(read_response(broken.as_bytes(), &limits).unwrap_err().code, -32600, "{broken}");
    }
}

/// What comes back of a value: a date has a form to keep, and XML has no place for some characters.
fn as_written(value: Value) -> Value {
    let text = |text: String| -> String {
        let kept =
            |c| matches!(c, '\t' | '\n' | '\r') || (' '..'\u{fffe}').contains(&c) || c > '\u{ffff}';
        text.chars().map(|c| if kept(c) { c } else { '\u{fffd}' }).collect()
    };
    match value {
        Value::String(content) => Value::String(text(content)),
        Value::DateTime(_) => Value::DateTime("20260102T03:04:05".into()),
        Value::Array(items) => Value::Array(items.into_iter().map(as_written).collect()),
        Value::Struct(bag) => Value::Struct(
            bag.into_iter().map(|(name, value)| (text(name), as_written(value))).collect(),
        ),
        other => other,
    }
}

proptest! {
    #[test]
    fn every_value_comes_back(value in crate::json::tests::any_value()) {
        let value = as_written(value);
        let call = read(write_call("m", std::slice::from_ref(&value))).unwrap();
        prop_assert_eq!(&call.params, std::slice::from_ref(&value));
        prop_assert!(!call.sanitised);
        let answer = read_response(write_response(&value).as_bytes(), &Limits::DEFAULT);
        prop_assert_eq!(answer, Ok(Response::Success(value)));
    }

    #[test]
    fn no_bytes_break_the_reader(body in any::<Vec<u8>>()) {
        let _ = read(&body);
        let _ = read_response(&body, &Limits::DEFAULT);
    }

    #[test]
    fn no_damage_breaks_the_reader(at in 0usize..600, byte in any::<u8>(), cut in 0usize..600) {
        let bag = Bag::from([("a".to_owned(), Value::Array(vec![Value::Nil, "&é\r".into()]))]);
        let mut body = write_call("add_results", &[Value::Struct(bag)]).into_bytes();
        let at = at % body.len();
        body[at] = byte;
        let _ = read(&body);
        body.truncate(cut);
        prop_assert!(read(&body).is_err() || cut >= body.len());
    }
}
