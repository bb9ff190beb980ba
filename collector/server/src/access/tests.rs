//! Who is let in, and as whom.

use std::net::Ipv4Addr;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

struct Fixture {
    folder: tempfile::TempDir,
    access: Access,
}

impl Fixture {
    fn new(is_open: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let allowance = Allowance::open(&folder.path().join("strangers"), 10).unwrap();
        let access = Access::open(Registry::of(folder.path()), is_open, allowance).unwrap();
        Self { folder, access }
    }

    fn add(&self, name: &str) -> String {
        Registry::of(self.folder.path()).add(name, vec![]).unwrap()
    }

    /// The name of the client that this lets in.
    fn client(&self, authorization: &str) -> Option<String> {
        let headers = headers("authorization", authorization);
        self.access.admit(&headers, ELSEWHERE).ok()?.name().map(str::to_owned)
    }
}

fn headers(name: &'static str, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
}

fn basic(name: &str, token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{token}")))
}

#[test]
fn without_clients_only_this_machine_may() {
    let Fixture { access, .. } = Fixture::new(false);
    let none = HeaderMap::new();
    assert_eq!(access.admit(&none, HERE), Ok(Caller::ThisMachine));
    assert_eq!(access.admit(&none, "::ffff:127.0.0.1".parse().unwrap()), Ok(Caller::ThisMachine));
    assert_eq!(access.admit(&none, ELSEWHERE), Err(Denied::NoToken));
    for name in ["forwarded", "via", "x-forwarded-for", "x-real-ip"] {
        let proxied = headers(name, "192.0.2.1");
        assert_eq!(access.admit(&proxied, HERE), Err(Denied::NoToken), "{name}");
    }
    let odd = headers("authorization", "Basic eDp5");
    assert_eq!(access.admit(&odd, HERE), Ok(Caller::ThisMachine));
    assert!(!access.has_callers().unwrap());
}

#[test]
fn a_token_is_a_bearer_or_a_password() {
    let fixture = Fixture::new(false);
    let token = fixture.add("shed");
    let other = fixture.add("barn");
    assert_eq!(fixture.client(&format!("Bearer {token}")).as_deref(), Some("shed"));
    assert_eq!(fixture.client(&format!("bearer  {token} ")).as_deref(), Some("shed"));
    assert_eq!(fixture.client(&basic("shed", &token)).as_deref(), Some("shed"));
    let unpadded = basic("shed", &token).replace('=', "");
    assert_eq!(fixture.client(&unpadded).as_deref(), Some("shed"));
    for wrong in [
        basic("shed", &other),
        basic("", &token),
        format!("Bearer {}", &token[..60]),
        format!("Digest {token}"),
        token.clone(),
        "Bearer".to_owned(),
        "Basic %%%".to_owned(),
        String::new(),
    ] {
        assert_eq!(fixture.client(&wrong), None, "{wrong}");
    }
    let here = fixture.access.admit(&HeaderMap::new(), HERE);
    assert_eq!(here, Err(Denied::NoToken), "since there are clients");
    assert!(fixture.access.has_callers().unwrap());
}

#[test]
fn who_is_added_or_revoked_is_noticed_at_once() {
    let fixture = Fixture::new(false);
    let token = format!("Bearer {}", fixture.add("shed"));
    assert!(fixture.client(&token).is_some());
    Registry::of(fixture.folder.path()).revoke("shed").unwrap();
    assert_eq!(fixture.client(&token), None);
}

#[test]
fn an_open_collector_lets_strangers_in_but_no_wrong_tokens() {
    let fixture = Fixture::new(true);
    let none = HeaderMap::new();
    let odd = headers("authorization", "Bearer nonsense");
    assert_eq!(fixture.access.admit(&none, ELSEWHERE), Ok(Caller::Stranger));
    assert_eq!(fixture.access.admit(&none, HERE), Ok(Caller::ThisMachine));
    assert_eq!(fixture.access.admit(&odd, ELSEWHERE), Ok(Caller::Stranger));
    fixture.add("shed");
    assert_eq!(fixture.access.admit(&none, ELSEWHERE), Ok(Caller::Stranger));
    assert_eq!(fixture.access.admit(&odd, ELSEWHERE), Err(Denied::WrongToken));
}

#[test]
fn only_strangers_use_up_the_allowance() {
    let Fixture { access, .. } = Fixture::new(true);
    assert_eq!(access.spend(&Caller::Stranger, 10), Ok(()));
    assert_eq!(access.spend(&Caller::Stranger, 1), Err(Denied::AllowanceSpent));
    assert_eq!(access.spend(&Caller::ThisMachine, 1000), Ok(()));
}

#[test]
fn nobody_is_let_in_by_a_list_that_cannot_be_read() {
    let fixture = Fixture::new(true);
    std::fs::write(fixture.folder.path().join("clients.json"), "{").unwrap();
    for peer in [HERE, ELSEWHERE] {
        let denied = fixture.access.admit(&HeaderMap::new(), peer);
        assert_eq!(denied, Err(Denied::ClientsUnknown));
    }
}
