//! [`Seats`]: how many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Weak};

/// Connections at the same time, however many files the system allows.
const CONNECTIONS_MAX: usize = 900;

/// Open files that are the repository's and our own.
const FILES_RESERVED: usize = 64;

/// Open files that a connection may need: itself, the file that it sends or receives, and what reading the
/// repository for it opens.
const FILES_PER_CONNECTION: usize = 4;

/// Open files that are taken for granted where the limit cannot be read. The smallest that is usual.
const FILES_MAX_DEFAULT: usize = 256;

/// Connections of one address, where nothing else is configured.
const PER_ADDRESS: usize = 32;

/// Counts the connections of every address.
#[derive(Debug)]
pub(crate) struct Seats {
    /// As configured. Without that an address has [`PER_ADDRESS`], and this machine itself has no limit of
    /// its own, because a proxy on it speaks for everybody.
    per_address: Option<usize>,
    taken: HashMap<IpAddr, Weak<()>>,
}

/// The right to one connection, until dropped.
#[derive(Debug)]
pub(crate) struct Seat(#[expect(dead_code, reason = "only counted")] Arc<()>);

impl Seats {
    pub(crate) fn new(per_address: Option<usize>) -> Self {
        Self { per_address, taken: HashMap::new() }
    }

    /// `None` when the address has as many as it may.
    pub(crate) fn take(&mut self, address: IpAddr) -> Option<Seat> {
        let own = if address.to_canonical().is_loopback() { usize::MAX } else { PER_ADDRESS };
        // One entry for each address that is connected now, so this is short.
        self.taken.retain(|_, seats| seats.strong_count() > 0);
        let seats = self.taken.entry(host(address)).or_default();
        if seats.strong_count() >= self.per_address.unwrap_or(own) {
            return None;
        }
        let seat = seats.upgrade().unwrap_or_default();
        *seats = Arc::downgrade(&seat);
        Some(Seat(seat))
    }
}

/// What belongs to one host: with IPv6, everybody has a whole network of addresses.
fn host(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// How many connections there may be, so that files can always be opened; more wait to be accepted.
pub(crate) fn connections_max() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    connections_within(files_max(&limits).unwrap_or(FILES_MAX_DEFAULT))
}

fn connections_within(files: usize) -> usize {
    (files.saturating_sub(FILES_RESERVED) / FILES_PER_CONNECTION).clamp(4, CONNECTIONS_MAX)
}

/// The soft limit on open files, from what Linux shows of a process (`proc_pid_limits(5)`).
fn files_max(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_seats() {
        let mut seats = Seats::new(Some(2));
        let mut take = |address: &str| seats.take(address.parse().unwrap());
        let first = take("192.0.2.1").unwrap();
        let _second = take("192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none());
        assert!(take("::ffff:192.0.2.1").is_none(), "the same in IPv6");
        assert!(take("192.0.2.2").is_some());
        drop(first);
        let _third = take("192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none());
    }

    #[test]
    fn a_proxy_on_this_machine_may_speak_for_many() {
        let mut seats = Seats::new(None);
        let taken = |seats: &mut Seats, address: &str| {
            let address: IpAddr = address.parse().unwrap();
            let kept: Vec<_> = (0..100).map_while(|_| seats.take(address)).collect();
            kept.len()
        };
        assert_eq!(taken(&mut seats, "127.0.0.1"), 100);
        assert_eq!(taken(&mut seats, "::1"), 100);
        assert_eq!(taken(&mut seats, "192.0.2.1"), PER_ADDRESS);
    }

    #[test]
    fn a_network_of_ipv6_is_one_host() {
        let mut seats = Seats::new(Some(1));
        let _seat = seats.take("2001:db8::1".parse().unwrap()).unwrap();
        assert!(seats.take("2001:db8::ffff:2".parse().unwrap()).is_none());
        assert!(seats.take("2001:db8:0:1::1".parse().unwrap()).is_some());
    }

    #[test]
    fn addresses_that_left_are_forgotten() {
        let mut seats = Seats::new(Some(1));
        for last in 0..=255 {
            assert!(seats.take(IpAddr::from([192, 0, 2, last])).is_some());
        }
        assert_eq!(seats.taken.len(), 1);
    }

    #[test]
    fn connections_leave_room_for_files() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             10                   10                   processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(files_max(limits), Some(1024));
        assert_eq!(files_max("Max open files   unlimited   unlimited   files"), Some(usize::MAX));
        assert_eq!(files_max(""), None);
        assert_eq!(connections_within(1024), 240);
        assert_eq!(connections_within(usize::MAX), CONNECTIONS_MAX);
        assert_eq!(connections_within(0), 4);
    }
}
