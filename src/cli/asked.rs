//! Requests to a data directory: to the node that runs on it, or, when none
//! does, to the directory itself.

use std::io;
use std::sync::Arc;

use super::{Failure, runtime};
use crate::app::{AppError, Opened};
use crate::config::Config;
use crate::control::{self, Answer, Request};
use crate::pipeline::PersonRequest;

/// Carries out a request; an answer "failed" becomes a failure, exit 75.
pub(super) fn ask(config: &Config, request: Request) -> Result<Answer, Failure> {
    let answer = runtime()?.block_on(async {
        match control::ask(&config.data_dir, &request).await {
            Ok(answer) => Ok(answer),
            Err(error) if nobody_listens(&error) => directly(config, request).await,
            Err(error) => Err(Failure::later(format!("the node does not answer: {error}"))),
        }
    })?;
    if let Answer::Failed { what } = answer {
        return Err(Failure::later(what));
    }
    Ok(answer)
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

async fn directly(config: &Config, request: Request) -> Result<Answer, Failure> {
    // Asking must not make a key and a spool in a directory given by mistake; a
    // trial's list is put in before the first start.
    let fills = matches!(&request, Request::Persons(PersonRequest::Import { .. }));
    if !fills && !config.data_dir.join("keys").is_dir() && !config.data_dir.join("spool").is_dir() {
        let shown = config.data_dir.display();
        return Err(Failure::usage(format!("{shown} is no data directory; give --data DIR")));
    }
    let opened = Opened::new(&Arc::new(config.clone()))?;
    let node = opened.node()?;
    if matches!(request, Request::Queue)
        && let Err(error) = node.look_for_keys().await
    {
        return Ok(Answer::Failed { what: error.to_string() });
    }
    Ok(control::answer(&node, request).await)
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self { code: error.exit_code(), what: error.to_string() }
    }
}
