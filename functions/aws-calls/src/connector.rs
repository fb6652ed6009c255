use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

/// The HTTP connector that all clients of a process share: HTTP/1.1 and 2, rustls over ring, native roots.
#[must_use]
pub fn connector() -> SharedHttpClient {
    let tls = Provider::Rustls(CryptoMode::Ring);
    SharedHttpClient::new(OnFirstCall(Builder::new().tls_provider(tls).build_https()))
}

/// Connects as the client in it does, which reads the system's root certificates when the first call needs them.
///
/// By itself it reads some 150 of them whenever an SDK client is made with it, for a connector that it throws away. A
/// function makes five clients before its first invocation, and two more for each role that it assumes: that was more
/// than half of its start.
#[derive(Debug)]
struct OnFirstCall(SharedHttpClient);

impl HttpClient for OnFirstCall {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
