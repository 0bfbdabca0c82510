//! The page of before and after shows originals: it holds all it shows, says
//! so, and its owner alone can read it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::files::{files_below, in_repository, sample};
use crate::support::process::run;

const PAGE: &str = "ORIGINAL-PICTURES-do-not-send.html";

#[test]
fn the_gallery_is_one_page_without_links_for_its_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let (input, out) = (home.path().join("in"), home.path().join("out"));
    fs::create_dir(&input).unwrap();
    fs::copy(sample(), input.join("still.dcm")).unwrap();
    fs::write(input.join("notes.txt"), "no DICOM").unwrap();
    let mut command = Command::new(in_repository("scripts/gallery"));
    command.env("AIRLOCK_GALLERY_PROGRAM", env!("CARGO_BIN_EXE_airlock"));
    command.env_remove("ORT_DISABLE_TELEMETRY").env_remove("AIRLOCK_CONFIG");
    run(command.arg(&input).arg("--out").arg(&out)).success();
    let page = out.join(PAGE);
    let mode = fs::metadata(&page).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("<div class='warning'>ORIGINAL PICTURES WITH IDENTITY"));
    assert_eq!(text.matches("href='data:image/").count(), 2, "before and after");
    assert_eq!(text.matches("href=").count(), 2);
    for link in ["http://", "https://", "src=", "url(", "<script", "<link", "@import"] {
        assert!(!text.contains(link), "{link}");
    }
    assert!(text.contains("<h2>still.dcm</h2>"));
    assert!(text.contains("1 cleaned, 0 in quarantine, 1 files left"));
    // The strip of the device's rule, drawn in its colour over the original.
    assert!(text.contains("<rect class='device' x='0' y='0' width='1024' height='23'>"));
    // The paths of the originals stay nowhere else.
    let left: Vec<_> = files_below(&out).into_iter().filter(|path| *path != page).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with(out.join("clean")));
}
