//! `airlock echo` and `airlock send`: this machine as a modality.

use std::path::{Path, PathBuf};

use super::{Failure, runtime};
use crate::app::peers::address_of;
use crate::config::{Config, Destination};
use crate::dimse::Limits;
use crate::dimse::scu::{self, Address};
use crate::error::ExitCode;
use crate::pipeline::folder::input_files;

/// C-ECHO.
pub(super) fn echo(config: &Config, peer: &str) -> Result<ExitCode, Failure> {
    let address = address(config, peer)?;
    let status = runtime()?
        .block_on(scu::verify(&address, &Limits::default()))
        .map_err(|error| Failure::later(format!("{peer}: {}", chain(&error))))?;
    println!("{peer} answers {status:04X}H");
    Ok(if status == 0 { ExitCode::Ok } else { ExitCode::TryLater })
}

/// C-STORE of files and folders, as they are.
pub(super) fn send(config: &Config, peer: &str, paths: &[PathBuf]) -> Result<ExitCode, Failure> {
    let address = address(config, peer)?;
    let mut files = Vec::new();
    for path in paths {
        files.extend(input_files(path).map_err(Failure::usage)?);
    }
    let (mut sent, mut refused) = (0_usize, 0_usize);
    let each = |path: &Path, result: Result<u16, scu::SendError>| match result {
        // Bxxx are warnings: stored (PS3.4 Table B.2-1).
        Ok(0) | Ok(0xB000..=0xBFFF) => sent += 1,
        Ok(status) => {
            refused += 1;
            eprintln!("{}: refused with {status:04X}H", path.display());
        }
        Err(error) => {
            refused += 1;
            eprintln!("{}: {}", path.display(), chain(&error));
        }
    };
    let all = runtime()?.block_on(scu::send_files(&address, &files, &Limits::default(), each));
    all.map_err(|error| Failure::later(format!("{peer}: {}", chain(&error))))?;
    println!("{sent} stored, {refused} not, of {} files", files.len());
    Ok(if sent == files.len() { ExitCode::Ok } else { ExitCode::TryLater })
}

/// `AE@HOST:PORT`, also `AE@[::1]:104`; or the name of a destination, with its TLS.
fn address(config: &Config, peer: &str) -> Result<Address, Failure> {
    if let Some(Destination::Ae(peer)) = config.destinations.get(peer) {
        return Ok(address_of(peer));
    }
    let wrong = || Failure::usage("write the peer as AE@HOST:PORT, or name a destination");
    let (title, place) = peer.split_once('@').ok_or_else(wrong)?;
    let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
    Ok(Address {
        called: title.parse().map_err(Failure::usage)?,
        calling: config.ae_title.clone(),
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().map_err(|_no_port| wrong())?,
        tls: None,
    })
}

/// An error and what it comes from, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
