//! An HTTP client for the SDK that passes each request to the world in this process, without a socket.

use aws_smithy_runtime_api::client::http::{
    HttpClient as SmithyHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::wire::signature::CredentialScope;
use crate::{World, region};

/// The error for a name for which DNS answers NXDOMAIN: glibc's words inside those of Rust's library.
const NO_SUCH_HOST: &str = "error trying to connect: dns error: failed to lookup address information: Name or service not known";

/// An SDK's HTTP client for a world. It applies the read time-out that the SDK sets.
#[derive(Clone, Debug)]
pub struct HttpClient(World);

impl HttpClient {
    /// Creates the client for that world.
    pub fn new(world: World) -> Self {
        Self(world)
    }
}

#[derive(Clone, Debug)]
struct Connector {
    world: World,
    read_timeout: Option<std::time::Duration>,
}

impl SmithyHttpClient for HttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            world: self.0.clone(),
            read_timeout: settings.read_timeout(),
        })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self {
            world,
            read_timeout,
        } = self.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let (parts, body) = request.into_parts();
            let body = body.bytes().map(Bytes::copy_from_slice).unwrap_or_default();
            let region = CredentialScope::of(&parts.headers).map(|scope| scope.region);
            if region.is_some_and(|region| !region::exists(&region)) {
                return Err(ConnectorError::io(NO_SUCH_HOST.into()));
            }
            let answer = world.handle(http::Request::from_parts(parts, body));
            let answer = match read_timeout {
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .map_err(|error| ConnectorError::timeout(error.into()))?,
                None => answer.await,
            };
            let response = answer.map_err(|error| ConnectorError::io(error.into()))?;
            let (parts, body) = response.into_parts();
            HttpResponse::try_from(http::Response::from_parts(parts, SdkBody::from(body)))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
