//! Answers over real sockets: what is sent, and what is retried.

use crate::stand_ins::{ARN, event};
use custom_resource::{
    AnswerTransport, Clock, Context, Failure, Function, Https, Invocation, InvocationError,
    NoWaiter, Reply as Said, Request, ResourceTypes, Settings, Step, Success,
};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a receiver does with a request.
#[derive(Clone, Copy)]
enum Reply {
    Status(&'static str),
    /// A status with S3's error code.
    Error(&'static str, &'static str),
    /// The connection is closed without a response after the request was read.
    Reset,
}

/// A receiver of answers on loopback. It sends the replies in order, and records each request.
struct Receiver {
    origin: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn replying(replies: &'static [Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        tokio::spawn(async move {
            for reply in replies {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                kept.lock().unwrap().push(request);
                let (status, body) = match reply {
                    Reply::Status(status) => (status, String::new()),
                    Reply::Error(status, code) => (status, error(code)),
                    Reply::Reset => continue,
                };
                let length = body.len();
                let response =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(response.as_bytes()).await.unwrap();
            }
        });
        Self { origin, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Returns the body of S3's error responses.
fn error(code: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>No.</Message>\
         <StringToSign>AWS4-HMAC-SHA256</StringToSign><RequestId>1</RequestId></Error>"
    )
}

/// Reads a complete request, by its Content-Length.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut bytes = [0; 4_096];
        let count = stream.read(&mut bytes).await.unwrap();
        text.extend_from_slice(&bytes[..count]);
        let request = String::from_utf8_lossy(&text);
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = header(head, "content-length").and_then(|length| length.parse().ok());
            if count == 0 || length.is_none_or(|length: usize| body.len() >= length) {
                return request.into_owned();
            }
        }
    }
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A path of S3 in CloudFormation's URLs, with escapes that must not change.
const PATH: &str = "/arn%3Aaws%3Acloudformation%3Aeu-west-1%3A1%3Astack/dev/1%7CZone%7Crequest?X-Amz-Date=20261124T194807Z&X-Amz-Signature=5ec2e7%2F516a";

#[tokio::test]
async fn an_answer_has_a_length_and_no_content_type() {
    let receiver = Receiver::replying(&[Reply::Status("200 OK")]).await;
    let status = Https::default()
        .put(
            &format!("{}{PATH}", receiver.origin),
            b"{\"Status\":1}".to_vec(),
        )
        .await;
    assert_eq!(status, Ok(200.into()));
    let requests = receiver.requests();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert!(
        request.starts_with(&format!("PUT {PATH} HTTP/1.1\r\n")),
        "{request}"
    );
    assert_eq!(header(request, "content-type"), None);
    assert_eq!(header(request, "content-length"), Some("12"));
    assert_eq!(header(request, "transfer-encoding"), None);
    assert!(request.ends_with("\r\n\r\n{\"Status\":1}"), "{request}");
}

#[tokio::test]
async fn a_redirect_is_followed_without_a_referer() {
    let there = Receiver::replying(&[Reply::Status("200 OK")]).await;
    let location = format!("307 Temporary Redirect\r\nlocation: {}/there", there.origin);
    let replies = Box::leak(Box::new([Reply::Status(location.leak())]));
    let here = Receiver::replying(replies).await;
    assert_eq!(
        Https::default()
            .put(&format!("{}{PATH}", here.origin), b"{}".to_vec())
            .await,
        Ok(200.into())
    );
    let requests = there.requests();
    assert!(
        requests[0].starts_with("PUT /there HTTP/1.1\r\n") && requests[0].ends_with("\r\n\r\n{}"),
        "{requests:?}"
    );
    assert_eq!(
        (
            header(&requests[0], "referer"),
            header(&requests[0], "content-type")
        ),
        (None, None)
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_if_it_changes_the_request_or_leaves_the_host() {
    let there = Receiver::replying(&[Reply::Status("200 OK")]).await;
    let elsewhere = there.origin.replace("127.0.0.1", "localhost");
    for (status, origin) in [
        ("301 Moved Permanently", &there.origin),
        ("302 Found", &there.origin),
        ("303 See Other", &there.origin),
        ("307 Temporary Redirect", &elsewhere),
        ("308 Permanent Redirect", &elsewhere),
        (
            "307 Temporary Redirect",
            &there.origin.replace("http://", "http://user@"),
        ),
    ] {
        let location = format!("{status}\r\nlocation: {origin}/there");
        let replies = Box::leak(Box::new([Reply::Status(location.leak())]));
        let here = Receiver::replying(replies).await;
        let said = Https::default()
            .put(&format!("{}{PATH}", here.origin), b"{}".to_vec())
            .await;
        let status = status[..3].parse::<u16>().unwrap();
        assert_eq!(said, Ok(Said::from(status)), "{status} {origin}");
        assert_eq!(there.requests(), [""; 0], "{status} {origin}");
    }
}

#[tokio::test]
async fn an_error_is_reported_without_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let plain = Receiver::replying(&[Reply::Status("400 Bad Request")]).await;
    for origin in [
        format!("http://{address}"),
        plain.origin.replace("http:", "https:"),
    ] {
        let error = Https::default()
            .put(&format!("{origin}{PATH}"), b"{}".to_vec())
            .await
            .unwrap_err();
        assert!(error.starts_with("error sending request: "), "{error}");
        assert!(
            !error.contains("Zone") && !error.contains("5ec2e7") && !error.contains("://"),
            "{error}"
        );
    }
}

struct Done;

impl ResourceTypes for Done {
    fn names(&self) -> &'static [&'static str] {
        &["Custom::Zone"]
    }

    async fn advance(
        &self,
        _: &Request,
        _: Option<Value>,
        _: &Invocation,
    ) -> Result<Step, Failure> {
        Ok(Step::Done(Success::new("id")))
    }

    async fn abandon(&self, _: &Request, _: Option<Value>, _: &Invocation) -> Option<String> {
        None
    }
}

/// Invokes a function, which has ten seconds of real time and answers to `origin`.
async fn invoke(origin: &str) -> Result<Value, InvocationError> {
    let no_waiter: Option<NoWaiter> = None;
    let settings = Settings {
        has_endpoint_override: true,
        ..Settings::default()
    };
    let function = Function::new(Done, no_waiter, Https::default(), settings);
    let mut event = event("Create", 3_600);
    event["ResponseURL"] = format!("{origin}/key").into();
    let context = Context {
        request_id: "invocation".into(),
        function_arn: ARN.into(),
        deadline: SystemTime::now() + Duration::from_secs(10),
    };
    function.handle(event, &context, Clock::system()).await
}

#[tokio::test]
async fn transient_errors_are_retried() {
    let receiver = Receiver::replying(&[
        Reply::Status("503 Slow Down"),
        Reply::Reset,
        Reply::Error("400 Bad Request", "RequestTimeout"),
        Reply::Status("429 Too Many Requests"),
        Reply::Status("200 OK"),
    ])
    .await;
    invoke(&receiver.origin).await.unwrap();
    let requests = receiver.requests();
    assert_eq!(requests.len(), 5);
    assert!(
        requests
            .iter()
            .all(|request| request.contains("\"Status\":\"SUCCESS\"")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn a_403_is_not_retried() {
    let receiver = Receiver::replying(&[
        Reply::Error("403 Forbidden", "AccessDenied"),
        Reply::Status("200 OK"),
    ])
    .await;
    assert_eq!(
        invoke(&receiver.origin).await,
        Err(InvocationError::Unanswered(
            "status 403 AccessDenied".into()
        ))
    );
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test]
async fn text_that_is_no_error_code_is_not_shown() {
    for body in ["a b", "", "x-1", "<b>", &"A".repeat(65)] {
        let code = Box::leak(body.to_owned().into_boxed_str());
        let replies = Box::leak(Box::new([Reply::Error("403 Forbidden", code)]));
        let receiver = Receiver::replying(replies).await;
        let said = Https::default()
            .put(&format!("{}{PATH}", receiver.origin), b"{}".to_vec())
            .await;
        assert_eq!(said, Ok(Said::from(403)), "{body:?}");
    }
}
