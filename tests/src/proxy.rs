//! [`Proxy`]: what lies between two programs: counts bytes, and cuts connections.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;

/// Passes connections on to another address, until the process ends.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    to: SocketAddr,
    bytes: AtomicU64,
    is_cut: AtomicBool,
    /// Both ends of each connection, by its number.
    open: Mutex<HashMap<usize, [TcpStream; 2]>>,
    count: AtomicUsize,
}

impl Proxy {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            to,
            bytes: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            open: Mutex::default(),
            count: AtomicUsize::new(0),
        });
        let passing = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !passing.is_cut.load(Ordering::SeqCst) {
                    // A connection that cannot be made is one that breaks.
                    let _ = pass(stream, &passing);
                }
            }
        });
        Ok(Self { address, shared })
    }

    /// Breaks all connections, and every new one at once.
    pub fn cut(&self) {
        self.shared.is_cut.store(true, Ordering::SeqCst);
        let Ok(mut open) = self.shared.open.lock() else { return };
        for stream in open.drain().flat_map(|(_, streams)| streams) {
            // The other side may be gone.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.shared.is_cut.store(false, Ordering::SeqCst);
    }

    /// Bytes that went through since the last time this was asked, both ways together.
    pub fn take_bytes(&self) -> u64 {
        self.shared.bytes.swap(0, Ordering::SeqCst)
    }
}

fn pass(from: TcpStream, shared: &Arc<Shared>) -> std::io::Result<()> {
    let to = TcpStream::connect(shared.to)?;
    let number = shared.count.fetch_add(1, Ordering::SeqCst);
    if let Ok(mut open) = shared.open.lock() {
        open.insert(number, [from.try_clone()?, to.try_clone()?]);
    }
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        std::thread::scope(|scope| {
            scope.spawn(|| copy(&to, &from, &shared.bytes));
            copy(&from, &to, &shared.bytes);
        });
        // What is not forgotten is never closed.
        if let Ok(mut open) = shared.open.lock() {
            open.remove(&number);
        }
    });
    Ok(())
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, bytes: &AtomicU64) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        bytes.fetch_add(length as u64, Ordering::SeqCst);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
