//! `serve`: opens the repository, listens, and stops when told to.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::cli::Plan;
use crate::collector::Collector;
use crate::failure::Failure;
use crate::listener::{self, Terms};
use crate::maintain;
use crate::router::router;

/// How long to wait for work on the disk after the last answer.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or an interrupt. Says on `out` where, once it is ready.
pub(crate) fn serve(plan: Plan, out: &mut dyn Write) -> anyhow::Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)?;
    // Before the repository is opened: a taken port is found out at once, and feeds need the address.
    let (listener, address) = runtime.block_on(listen(&plan.listen))?;
    let collector = Arc::new(Collector::open(plan, address)?);
    maintain::in_background(Arc::downgrade(&collector));
    let outcome = runtime.block_on(async {
        let plan = &collector.plan;
        let signal = stop_signal()?;
        let stop = async {
            tokio::select! {
                () = signal => Ok(()),
                () = collector.disk_lost.raised() => Err(Failure::DiskLost),
            }
        };
        tracing::info!(lines = collector.coordinator().line_count(), "repository opened");
        // A closed stream must not keep results from being collected.
        let _ = writeln!(
            out,
            "listening on http://{address}/ (results in `{}`, site in `{}`)",
            plan.repo.display(),
            plan.site.display()
        );
        let _ = out.flush();
        let terms =
            Terms { patience: plan.patience, per_address_max: plan.connections_per_address_max };
        listener::accept(listener, router(Arc::clone(&collector)), terms, stop).await?;
        tracing::info!("stopped");
        Ok(())
    });
    finish(collector);
    runtime.shutdown_timeout(SHUTDOWN_PATIENCE);
    outcome
}

/// Has what waits written, and the lock given back. What still waits for a disk that hangs was not acknowledged,
/// and may be cut off anywhere.
fn finish(collector: Arc<Collector>) {
    // A thread of its own: of those of a runtime that ends, nobody knows whether they begin.
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        collector.finish();
        let _ = done.send(());
    });
    let _ = finished.recv_timeout(SHUTDOWN_PATIENCE);
}

async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    bound.await.map_err(|source| Failure::Listen { address: address.to_owned(), source })
}

/// Resolves when the process is asked to end. The handlers are in place when this returns.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(Failure::Runtime)?;
    Ok(async move {
        #[cfg(unix)]
        let terminated = terminate.recv();
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
