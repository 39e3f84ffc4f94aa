//! What of a `tls_config` receivers refuse; how TLS is spoken is known elsewhere.

use super::ReceiverError;
use crate::settings::tls::TlsConfig;
use crate::tls;

pub(super) use tls::{Pem, client_config};

/// Refuses what is known and cannot be honoured.
pub(super) fn refuse_unsupported(config: &TlsConfig) -> Result<(), ReceiverError> {
    tls::refuse_unsupported(config).map_err(ReceiverError::Setting)
}
