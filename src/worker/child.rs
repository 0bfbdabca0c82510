//! A worker's main: reads orders from stdin, answers on stdout, one instance
//! at a time, until stdin ends.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::protocol::{Answer, CleanOrder, Order, Role, Setup, VERSION, VerifyOrder};
use super::protocol::{read_message, write_message};
use super::sandbox;
use crate::clean::Identity;
use crate::clean::job::{self, Cleaner, JobError};
use crate::config::{CleanRules, TagRule};
use crate::error::ExitCode;
use crate::pseudonym::Assigned;
use crate::reason::{Quarantine, Reason};
use crate::vault::{Stored, VaultError};

/// Where the last panic happened; its message is dropped, it may quote a value.
static PANIC_PLACE: Mutex<String> = Mutex::new(String::new());

/// Runs a worker of `role` on this process's stdin and stdout.
#[must_use]
pub fn run(role: Role) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        *PANIC_PLACE.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = place;
    }));
    match serve(role, &mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::Ok,
        Err(_pipe_broken) => ExitCode::Bug,
    }
}

fn serve(role: Role, from: &mut impl Read, out: &mut impl Write) -> io::Result<()> {
    let Some(Order::Setup(setup)) = read_message(from)? else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let (mut cleaner, not_confined) = match set_up(role, &setup) {
        Ok(ready) => ready,
        Err(what) => return write_message(out, &Answer::SetupFailed(what)),
    };
    write_message(out, &Answer::Ready(not_confined))?;
    while let Some(order) = read_message(from)? {
        let answer = match order {
            Order::Clean(order) => clean(&mut cleaner, &setup, &order, from, out),
            Order::Verify(order) => verify(&setup, &order),
            Order::Setup(_) | Order::Assigned(_) | Order::Withdraw => {
                return Err(io::ErrorKind::InvalidData.into());
            }
        };
        let died = matches!(answer, Answer::Panicked(_));
        write_message(out, &answer)?;
        if died {
            // State after a panic is not trusted; the front starts a fresh one.
            return Ok(());
        }
    }
    Ok(())
}

fn set_up(role: Role, setup: &Setup) -> Result<(Option<Cleaner>, Vec<String>), String> {
    if setup.version != VERSION {
        return Err(format!("front speaks version {}, worker {VERSION}", setup.version));
    }
    let not_confined = sandbox::enter(setup.memory_bytes_max, &setup.writable);
    sandbox::watch(setup.memory_bytes_max);
    let cleaner = match role {
        Role::Verify => None,
        Role::Clean => {
            Some(Cleaner::new(setup.models_dir.as_deref()).map_err(|error| error.to_string())?)
        }
    };
    Ok((cleaner, not_confined))
}

fn clean(
    cleaner: &mut Option<Cleaner>,
    setup: &Setup,
    order: &CleanOrder,
    from: &mut impl Read,
    out: &mut impl Write,
) -> Answer {
    let Some(cleaner) = cleaner else {
        return Answer::SetupFailed("a verifying worker was told to clean".into());
    };
    let Some(rules) = setup.rules.get(&order.project) else {
        return Answer::Refused(Quarantine::new(Reason::NoProject, &order.project));
    };
    let rules = treated(rules, &order.treatments);
    let input = job::Input {
        input: &Stored::told(&order.input, order.input_seal, &setup.vault),
        output: &Stored::told(&order.output, order.output_seal, &setup.vault),
        rules: &rules,
        default_issuer: &order.default_issuer,
        in_parts: order.in_parts,
        leave_in: order.leave_in.as_ref(),
    };
    guarded(|| {
        let (report, parts) = cleaner.clean(&input, |identity| ask(identity, from, out))?;
        Ok(Answer::Cleaned(Box::new(report), parts))
    })
}

/// The one round trip of an instance: who it is, out; what they are called, in.
fn ask(identity: Identity, from: &mut impl Read, out: &mut impl Write) -> io::Result<Assigned> {
    write_message(out, &Answer::Identity(Box::new(identity)))?;
    match read_message(from)? {
        Some(Order::Assigned(assigned)) => Ok(assigned),
        Some(Order::Withdraw) => Err(io::ErrorKind::Interrupted.into()),
        Some(Order::Setup(_) | Order::Clean(_) | Order::Verify(_)) | None => {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

fn verify(setup: &Setup, order: &VerifyOrder) -> Answer {
    let Some(rules) = setup.rules.get(&order.project) else {
        return Answer::Refused(Quarantine::new(Reason::NoProject, &order.project));
    };
    let rules = treated(rules, &order.treatments);
    let VerifyOrder { parts, assigned, report, .. } = order;
    let subject = job::Subject {
        input: &Stored::told(&order.input, order.input_seal, &setup.vault),
        output: &Stored::told(&order.output, order.output_seal, &setup.vault),
        parts: parts.as_ref(),
    };
    guarded(|| job::verify(subject, &rules, assigned, report).map(Answer::Verified))
}

/// The project's rules with those of one instance after them, which win.
fn treated<'a>(rules: &'a CleanRules, treatments: &[TagRule]) -> Cow<'a, CleanRules> {
    let mut rules = Cow::Borrowed(rules);
    if !treatments.is_empty() {
        rules.to_mut().profile.rules.extend_from_slice(treatments);
    }
    rules
}

fn guarded(work: impl FnOnce() -> Result<Answer, JobError>) -> Answer {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(JobError::Quarantine(quarantine))) => Answer::Refused(quarantine),
        Ok(Err(JobError::Broken(what))) => Answer::SetupFailed(what),
        Ok(Err(JobError::Io(error))) => Answer::Io(match VaultError::of(&error) {
            Some(fault) => fault.to_string(),
            None => error.kind().to_string(),
        }),
        Err(_message_may_quote) => {
            let place = PANIC_PLACE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Answer::Panicked(place.clone())
        }
    }
}
