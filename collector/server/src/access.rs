//! Who may submit: clients with a token; without one, this machine while there are no clients, or everybody
//! when the collector was told so.
//!
//! A token is sent as `Authorization: Bearer TOKEN` (RFC 6750), or as the password of the client's name
//! (`Basic`, RFC 7617): that is what the original client makes of `http://name:token@host/`.

mod allowance;

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::refresher::full;
use crate::registry::{Client, Registry, RegistryError, holder};

pub(crate) use allowance::Allowance;

/// What proxies add. Such a request is not this machine's own, whoever connects.
const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Somebody with a token.
    Client(Box<Client>),
    /// A program on the collector's machine, without a token.
    ThisMachine,
    /// Anybody else.
    Stranger,
}

impl Caller {
    /// Refuses what a client may not do with a package: submit results of it, or have it built.
    pub(crate) fn check(&self, package: &str) -> Result<(), Denied> {
        match self {
            Self::Client(client) if !client.may(package) => Err(Denied::OtherPackage),
            _ => Ok(()),
        }
    }

    /// The name of the client.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Client(client) => Some(&client.name),
            Self::ThisMachine | Self::Stranger => None,
        }
    }
}

/// Why somebody may not submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    NoToken,
    WrongToken,
    /// The clients are not known: it may be anybody.
    ClientsUnknown,
    /// The token is good for other packages.
    OtherPackage,
    /// Strangers have stored all that they may.
    AllowanceSpent,
}

impl Denied {
    /// What a client is asked for that is not a browser. The original client would ask for a password on the
    /// terminal after any other challenge.
    pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"pony\"");

    pub(crate) fn status_and_sentence(self) -> (StatusCode, &'static str) {
        match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "a token is needed\n"),
            Self::WrongToken => (StatusCode::UNAUTHORIZED, "wrong token\n"),
            Self::ClientsUnknown => (StatusCode::SERVICE_UNAVAILABLE, "try again later\n"),
            Self::OtherPackage => (StatusCode::FORBIDDEN, "the token is for other packages\n"),
            Self::AllowanceSpent => {
                (StatusCode::INSUFFICIENT_STORAGE, "no more is taken without a token\n")
            }
        }
    }

    fn answer(self, challenge: HeaderValue) -> Response {
        let mut response = self.status_and_sentence().into_response();
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// The answer to a browser, which asks for name and token then.
    pub(crate) fn with_prompt(self) -> Response {
        self.answer(HeaderValue::from_static("Basic realm=\"pony\""))
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        self.answer(Self::CHALLENGE)
    }
}

/// Decides who may submit. Who was added or revoked is noticed at once.
pub(crate) struct Access {
    registry: Registry,
    /// Whether clients need no token.
    is_open: bool,
    known: Mutex<Option<Known>>,
    allowance: Allowance,
}

/// The clients, as they were in a state of the file.
struct Known {
    state: State,
    clients: Vec<Client>,
}

/// When the file was changed, and its size; `None` without a file.
type State = Option<(SystemTime, u64)>;

impl Access {
    /// `is_open` lets everybody submit, within the allowance.
    ///
    /// # Errors
    /// When the clients cannot be read.
    pub(crate) fn open(
        registry: Registry,
        is_open: bool,
        allowance: Allowance,
    ) -> Result<Self, RegistryError> {
        let access = Self { registry, is_open, known: Mutex::new(None), allowance };
        access.with_clients(|_| ())?;
        Ok(access)
    }

    /// Whether somebody from elsewhere may submit.
    ///
    /// # Errors
    /// When the clients cannot be read.
    pub(crate) fn has_callers(&self) -> Result<bool, RegistryError> {
        Ok(self.is_open || self.with_clients(|clients| !clients.is_empty())?)
    }

    /// Finds out who sends a request, and whether they may submit at all. Blocks for a look at one file.
    pub(crate) fn admit(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Denied> {
        let decided = self.with_clients(|clients| {
            // Credentials for a server that needs none have never mattered.
            if let Some(token) = headers.get(header::AUTHORIZATION)
                && !clients.is_empty()
            {
                return client_of(clients, token).ok_or(Denied::WrongToken);
            }
            match origin(headers, peer) {
                caller @ Caller::ThisMachine if self.is_open || clients.is_empty() => Ok(caller),
                _ if self.is_open => Ok(Caller::Stranger),
                _ => Err(Denied::NoToken),
            }
        });
        decided.unwrap_or_else(|error| {
            tracing::error!(error = full(&error), "nobody can be let in");
            Err(Denied::ClientsUnknown)
        })
    }

    /// Counts what is about to be stored for somebody.
    pub(crate) fn spend(&self, caller: &Caller, bytes: u64) -> Result<(), Denied> {
        if *caller == Caller::Stranger && !self.allowance.spend(bytes) {
            return Err(Denied::AllowanceSpent);
        }
        Ok(())
    }

    /// Notes what strangers have stored.
    pub(crate) fn finish(&self) {
        self.allowance.finish();
    }

    fn with_clients<T>(&self, work: impl FnOnce(&[Client]) -> T) -> Result<T, RegistryError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state()?;
        let clients = match known.take() {
            Some(known) if known.state == state => known.clients,
            // Read after the state: a change in between is noticed the next time.
            _ => self.registry.read()?,
        };
        let outcome = work(&clients);
        *known = Some(Known { state, clients });
        Ok(outcome)
    }

    fn state(&self) -> Result<State, RegistryError> {
        let path = self.registry.path();
        let state = match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            known => known.and_then(|metadata| Ok((metadata.modified()?, metadata.len()))),
        };
        let failed = |source| RegistryError::Io { action: "look at", path, source };
        state.map(Some).map_err(failed)
    }
}

/// Who sends a request without a token.
pub(crate) fn origin(headers: &HeaderMap, peer: IpAddr) -> Caller {
    let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(name));
    match peer.to_canonical().is_loopback() && !is_forwarded {
        true => Caller::ThisMachine,
        false => Caller::Stranger,
    }
}

fn client_of(clients: &[Client], authorization: &HeaderValue) -> Option<Caller> {
    let (scheme, credentials) = authorization.to_str().ok()?.trim().split_once(' ')?;
    let credentials = credentials.trim();
    let client = if scheme.eq_ignore_ascii_case("bearer") {
        holder(clients, credentials)?
    } else if scheme.eq_ignore_ascii_case("basic") {
        let plain = STANDARD.decode(credentials).or_else(|_| STANDARD_NO_PAD.decode(credentials));
        let plain = String::from_utf8(plain.ok()?).ok()?;
        let (name, token) = plain.split_once(':')?;
        holder(clients, token).filter(|client| client.name == name)?
    } else {
        return None;
    };
    Some(Caller::Client(Box::new(client.clone())))
}

#[cfg(test)]
mod tests;
