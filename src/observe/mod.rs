//! Log lines and traces: set up once, before anything else runs.
//!
//! Lines hold ids of ours, counts and codes, never a patient's value.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::Config;

/// Why logging could not be set up: exit 64.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// `log.filter` is no filter.
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// `telemetry.otlp_endpoint` cannot be used.
    #[error("telemetry.otlp_endpoint: {what}")]
    Otlp {
        /// What the exporter says.
        what: String,
    },
    /// Logging was set up before.
    #[error("logging is set up already")]
    Twice,
}

/// Sends what is left when it is dropped.
#[derive(Debug, Default)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            // A collector that is gone must not keep the node from ending.
            drop(provider.shutdown());
        }
    }
}

/// Log lines to stdout, spans by OTLP when an endpoint is configured (off by
/// default). Needs a running tokio runtime when it is.
///
/// # Errors
/// [`ObserveError`].
pub fn init(config: &Config) -> Result<Telemetry, ObserveError> {
    let filter = EnvFilter::try_new(&config.log_filter)?;
    let lines = tracing_subscriber::fmt::layer().with_target(false);
    let lines = if config.log_json {
        lines.json().with_filter(filter).boxed()
    } else {
        lines.with_ansi(false).with_filter(filter).boxed()
    };
    let provider = config.otlp_endpoint.as_deref().map(exporter).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        let tracer = provider.tracer("airlock");
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_filter(EnvFilter::new("airlock=info"))
    });
    tracing_subscriber::registry()
        .with(lines)
        .with(spans)
        .try_init()
        .map_err(|_set_before| ObserveError::Twice)?;
    Ok(Telemetry { provider })
}

fn exporter(endpoint: &str) -> Result<SdkTracerProvider, ObserveError> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| ObserveError::Otlp { what: error.to_string() })?;
    let resource = opentelemetry_sdk::Resource::builder().with_service_name("airlock").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
