//! Sends answers over the network.

use crate::{
    AnswerTransport, Reply,
    response_url::{has_user, is_on_aws},
};
use https_client::{
    in_words,
    reqwest::{
        Client, Response,
        redirect::{Attempt, Policy},
    },
};
use std::{sync::OnceLock, time::Duration};

/// How much of an error response is read, in bytes. S3's have some hundred.
const READ: usize = 4_096;
/// The longest text that is accepted as an error code.
const LONGEST_CODE: usize = 64;

/// PUTs answers with a client that is created for the first one.
#[derive(Debug, Default)]
pub struct Https {
    client: OnceLock<Result<Client, String>>,
}

impl AnswerTransport for Https {
    async fn put(&self, url: &str, body: Vec<u8>) -> Result<Reply, String> {
        let client = self
            .client
            .get_or_init(client)
            .as_ref()
            .map_err(String::clone)?;
        // Bytes have a length and no type, so Content-Length is set and Content-Type is not. The
        // URL is signed for an empty content type, and S3 answers 403 to any other.
        match client.put(url).body(body).send().await {
            Ok(response) => {
                let mut reply = Reply::from(response.status().as_u16());
                if !reply.accepts() {
                    reply.code = error_code(response).await;
                }
                Ok(reply)
            }
            Err(error) => Err(in_words(error)),
        }
    }
}

/// Returns the code in S3's `<Error><Code>AccessDenied</Code>...`. Nothing else of the body is
/// used, because it may contain what was signed
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
async fn error_code(mut response: Response) -> Option<String> {
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() >= READ {
            break;
        }
    }
    let body = String::from_utf8_lossy(&body);
    let (code, _) = body.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_code = (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}

fn client() -> Result<Client, String> {
    https_client::builder()?
        // The Referer header would contain the signed URL.
        .redirect(Policy::custom(|attempt| {
            if may_follow(&attempt) {
                attempt.follow()
            } else {
                attempt.stop()
            }
        }))
        .referer(false)
        // Lambda freezes the sandbox between invocations, which breaks idle connections.
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(5))
        .build()
        .map_err(in_words)
}

/// Limits the redirects that are followed.
const MOST_REDIRECTS: usize = 2;

/// Returns whether the answer is sent again to the target of a redirect. S3 redirects with 307
/// while a bucket is new in its Region
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>). Only 307 and 308 keep
/// the PUT and its body. The target must be an AWS host, or the emulator that sent the redirect.
fn may_follow(attempt: &Attempt<'_>) -> bool {
    let to = attempt.url();
    let from = attempt.previous().last();
    let stays = from.is_some_and(|from| {
        (from.scheme(), from.host()) == (to.scheme(), to.host())
            && !has_user(to)
            && !is_on_aws(from)
    });
    matches!(attempt.status().as_u16(), 307 | 308)
        && attempt.previous().len() <= MOST_REDIRECTS
        && (stays || is_on_aws(to))
}
