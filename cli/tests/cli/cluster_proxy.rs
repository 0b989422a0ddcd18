//! A connection between two nodes that can be cut, held up or slowed down.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Clear,
    /// Every few kilobytes take their time.
    Slow,
    /// Nothing comes through, and nobody is told.
    Dead,
}

/// Stands before one worker.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    target: Arc<Mutex<SocketAddr>>,
    line: watch::Sender<Line>,
    cuts: watch::Sender<u32>,
}

impl Proxy {
    pub(crate) fn start(runtime: &Runtime, target: SocketAddr) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let target = Arc::new(Mutex::new(target));
        let (line, cuts) = (watch::Sender::new(Line::Clear), watch::Sender::new(0));
        let (to, seen, cut) = (Arc::clone(&target), line.clone(), cuts.clone());
        runtime.spawn(async move {
            while let Ok((client, _from)) = listener.accept().await {
                let target = *to.lock().expect("a target");
                let (line, mut cut) = (seen.subscribe(), cut.subscribe());
                cut.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(client, target, line) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { address, target, line, cuts }
    }

    /// The worker listens elsewhere from now on.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.target.lock().expect("a target") = target;
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// Ends all connections there are.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn carry(client: TcpStream, target: SocketAddr, line: watch::Receiver<Line>) {
    let Ok(worker) = TcpStream::connect(target).await else { return };
    client.set_nodelay(true).ok();
    worker.set_nodelay(true).ok();
    let ((from_client, to_client), (from_worker, to_worker)) = (client.into_split(), worker.into_split());
    tokio::select! {
        () = copy(from_client, to_worker, line.clone()) => {}
        () = copy(from_worker, to_client, line) => {}
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: watch::Receiver<Line>) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if line.wait_for(|line| *line != Line::Dead).await.is_err() {
            return;
        }
        if *line.borrow() == Line::Slow {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
