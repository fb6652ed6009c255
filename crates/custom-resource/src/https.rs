//! Answers over the network.

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

/// How much of a refusal is read, in bytes. S3's have some hundred.
const READ: usize = 4_096;
/// The longest error code that is taken for one.
const LONGEST_CODE: usize = 64;

/// PUTs by a client that is built for the first answer.
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
        // Bytes have a length and no type: Content-Length is set, Content-Type is not. The URL is signed for an empty
        // one, and S3 answers 403 to anything else.
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

/// The code in S3's `<Error><Code>AccessDenied</Code>...`. Nothing else of the body is kept: it may repeat what was signed
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
        // The Referer header would repeat the signed URL.
        .redirect(Policy::custom(|attempt| {
            if may_follow(&attempt) {
                attempt.follow()
            } else {
                attempt.stop()
            }
        }))
        .referer(false)
        // Lambda freezes the sandbox between invocations, and a connection kept through that is dead.
        .pool_max_idle_per_host(0)
        .connect_timeout(Duration::from_secs(5))
        .build()
        .map_err(in_words)
}

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 2;

/// Whether the answer is sent once more, to where a reply redirects it. S3 redirects with 307 while a bucket is new to its
/// Region (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>); 307 and 308 alone keep the PUT and
/// its body. The answer stays on AWS, or with the emulator that got it first.
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
