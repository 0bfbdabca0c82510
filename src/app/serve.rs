//! `airlock serve`: the node from first line to last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::door::door;
use super::opened::{AppError, Endpoints, Opened, warn_of_faces, write_endpoints};
use super::passcodes::Passcodes;
use super::peers::{address_of, door_tls};
use crate::accept::Port;
use crate::clean::text::ModelFiles;
use crate::config::{self, Config};
use crate::dimse::tls::ClientTls;
use crate::disk::RealDisk;
use crate::forward::Waits;
use crate::forward::folder::Folder;
use crate::forward::send::{SendLimits, Sender};
use crate::lifecycle::{asked_to_stop, notify, stop_flag};
use crate::pipeline::{self, CleanLine, Destination, NodeError, Target, alarm};
use crate::spool::State;
use crate::{accept, control, observe};

/// Longest wait for what was begun when the node is told to stop. Default 8 s:
/// Docker kills after 10, and a restart takes up what is left.
const STOP_WAIT_MAX: Duration = Duration::from_secs(8);

/// Runs the node until it is told to stop.
///
/// # Errors
/// [`AppError`]: it could not start.
pub async fn serve(config: Config) -> Result<(), AppError> {
    let config = Arc::new(config);
    let _telemetry = observe::init(&config)?;
    let passcodes = Passcodes::read(&config)?;
    let opened = Opened::new(&config)?;
    warn_of_faces(&config);
    warn_of_plain(&config);
    warn_of_test_switches();
    let writable = vec![opened.spool.dir(State::Cleaned)];
    if ModelFiles::find(config.models_dir.as_deref()).is_ok_and(|files| files.names().is_none()) {
        warn!("without the recogniser of names: names that no header has are found by rules alone");
    }
    let line = CleanLine::new(&config, opened.line_memory(), writable)
        .map_err(AppError::system("find the program's own path"))?;
    line.warm().await?;
    let node = opened.node()?;
    let ports = ports(&config).await?;
    let socket =
        control::listen(&config.data_dir).map_err(AppError::system("make control.sock"))?;
    let (stop, stopping) = stop_flag();
    let door = Arc::new(door(&opened, Arc::clone(&node), &config, passcodes));
    let mut accepting = JoinSet::new();
    let mut endpoints = Endpoints::default();
    for port in ports {
        let address = port.listener.local_addr().map_err(AppError::system("read the address"))?;
        match port.tls {
            None => endpoints.dicom = Some(address),
            Some(_) => endpoints.dicom_tls = Some(address),
        }
        let serving = accept::serve(port, Arc::clone(&door), stopping.flag());
        accepting.spawn(pipeline::told(Arc::clone(&node), "the door", serving));
    }
    let asking = tokio::spawn(control::serve(socket, Arc::clone(&node)));
    let running = {
        let (node, line, stopping) = (Arc::clone(&node), Arc::new(line), stopping.clone());
        let destinations = destinations(&config)?;
        tokio::spawn(async move { node.run(line, destinations, stopping).await })
    };
    let watching = alarm::watch(Arc::clone(&node), stopping.clone());
    tokio::spawn(pipeline::told(Arc::clone(&node), "what watches for alarms", watching));
    write_endpoints(&config.data_dir, &endpoints)?;
    info!(%endpoints, ae_title = %config.ae_title, projects = config.projects.len(), "ready");
    notify("READY=1");
    asked_to_stop().await.map_err(AppError::system("wait for signals"))?;
    info!("stopping");
    notify("STOPPING=1");
    stop.stop();
    let ended =
        tokio::time::timeout(STOP_WAIT_MAX, async { tokio::join!(accepting.join_all(), running) });
    if ended.await.is_err() {
        warn!("stopped with work in progress; the next start takes it up");
    }
    asking.abort();
    info!("stopped");
    Ok(())
}

/// Says who gets in without TLS on a node that has it.
fn warn_of_plain(config: &Config) {
    if config.tls.is_none() || !config.plain {
        return;
    }
    let plain = config.senders.iter().filter(|sender| !sender.tls);
    let senders: Vec<_> = plain.map(|sender| sender.name.as_str()).collect();
    if !senders.is_empty() {
        warn!(?senders, "let in without TLS too: write tls = true, or dicom.plain = false");
    }
}

/// Builds with debug assertions heed variables of the crash laboratory: nobody runs
/// with one of them unawares.
fn warn_of_test_switches() {
    for name in ["AIRLOCK_SYNC_LEFT_OUT", "AIRLOCK_KILL_POINT"] {
        if cfg!(debug_assertions) && std::env::var_os(name).is_some() {
            error!(name, "A TEST SWITCH IS SET: INSTANCES CAN BE LOST. For tests alone.");
        }
    }
}

/// The door's ports, listening.
async fn ports(config: &Config) -> Result<Vec<Port>, AppError> {
    let listen = async |address: SocketAddr| {
        let listener = TcpListener::bind(address).await;
        listener.map_err(AppError::system(format!("listen on {address}")))
    };
    let mut ports = Vec::new();
    if config.plain {
        ports.push(Port { listener: listen(config.listen).await?, tls: None });
    }
    if let Some(tls) = &config.tls {
        let server = door_tls(tls)?;
        ports.push(Port { listener: listen(tls.listen).await?, tls: Some(Arc::new(server)) });
    }
    Ok(ports)
}

/// The destinations of the configuration, ready to be sent to.
fn destinations(config: &Config) -> Result<Vec<Destination>, AppError> {
    let mut ready = Vec::new();
    for (name, destination) in &config.destinations {
        let (target, associations) = match destination {
            config::Destination::Folder(path) => {
                (Target::Folder(Folder::new(path.clone(), Arc::new(RealDisk))), 1)
            }
            config::Destination::Ae(peer) => {
                let address = address_of(peer);
                address.tls.as_ref().map_or(Ok(()), ClientTls::check)?;
                let sender = Sender::new(address, SendLimits::default());
                (Target::Ae(Box::new(sender)), peer.associations)
            }
        };
        let name = name
            .parse()
            .map_err(|_bad_name| NodeError::Unusable { what: format!("destination.{name}") })?;
        ready.push(Destination { name, target, associations, waits: Waits::default() });
    }
    Ok(ready)
}
