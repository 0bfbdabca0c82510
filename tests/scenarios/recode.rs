//! A destination that takes uncompressed syntaxes alone gets what came compressed:
//! made anew by a worker, with the same samples.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::dcmtk::{StoreScp, coded, dcmdump, dcmsend};
use crate::support::node::Node;
use crate::support::object::{CT, Object, ct_files};
use crate::support::process::{free_port, wait_for};

fn configuration(port: u16) -> String {
    format!(
        "[project.default]\nheader_only = ['{CT}']\n[destination.folder]\nfolder = 'there'\n\
         [destination.pacs]\nae_title = 'PACS'\nhost = '127.0.0.1'\nport = {port}\n"
    )
}

/// Three slices, each coded another way, none of which the destination takes.
fn compressed(folder: &Path) -> Vec<PathBuf> {
    let files = ct_files(folder, 0..3);
    let coders = ["dcmcrle", "dcmcjpls", "dcmcjpeg"];
    files.iter().zip(coders).map(|(file, coder)| coded(coder, file)).collect()
}

/// Bytes of the picture that [`Object::ct`] has, and whether a file holds them.
fn holds_pixels_of(file: &Path, number: usize) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let original = fs::read(Object::ct(number).write(folder.path())).unwrap();
    let pixels = &original[original.len() - 32 * 32 * 2..];
    let bytes = fs::read(file).unwrap();
    bytes.windows(pixels.len()).any(|window| window == pixels)
}

fn sent_whole(files: &[PathBuf]) -> BTreeSet<usize> {
    (0..3).filter(|number| files.iter().any(|file| holds_pixels_of(file, *number))).collect()
}

#[test]
fn what_came_compressed_arrives_where_only_uncompressed_is_taken_and_elsewhere_once() {
    for (takes, syntax) in [("+xe", "LittleEndianExplicit"), ("+xi", "LittleEndianImplicit")] {
        let home = tempfile::tempdir().unwrap();
        let scp = StoreScp::start_with(&home.path().join("pacs"), "PACS", free_port(), &[takes]);
        let node = Node::start(&configuration(scp.port));
        dcmsend("AIRLOCK", node.port(), &compressed(&node.home().join("in"))).success();
        wait_for("three files", Duration::from_secs(60), || (scp.files().len() == 3).then_some(()));
        assert_eq!(node.settle().quarantine, 0, "{:?}", node.quarantined());
        assert_eq!(sent_whole(&scp.files()), BTreeSet::from([0, 1, 2]), "{takes}");
        for file in scp.files() {
            assert!(dcmdump(&file).contains(syntax), "{}", dcmdump(&file));
        }
        // One delivery for each destination and instance.
        assert_eq!(node.receipts("delivered").len(), 6, "{takes}");
    }
}
