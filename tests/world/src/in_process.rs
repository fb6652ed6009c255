//! Runs the functions in this process: their own code from the event to the answer, with the world's HTTP,
//! DNS and clock. Each invocation is a new process, which remembers nothing.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use custom_resource::{AnswerTransport, Clock, Context, Function, NoWaiter, Reply, Settings};
use delegate_subdomain::{DelegateSubdomain, StateMachine};
use dns_check::{Dns, NameServerList, Protocol, Transport};
use publish_zone::PublishZone;
use serde_json::Value;

use crate::cloudformation::{AnswerDesk, FunctionHost, Hosted};
use crate::{EVERYWHERE, Hand, World};

/// Runs the functions in this process.
#[derive(Clone, Debug)]
pub struct InProcess {
    world: World,
    desk: AnswerDesk,
    role_arn: RoleArn,
}

/// Returns the ARN of the role of a function, by its account, the id of its stack and its name.
pub type RoleArn = fn(&str, &str, &str) -> String;

impl InProcess {
    /// Runs the functions in a world, with their answers delivered to that desk.
    pub fn new(world: World, desk: AnswerDesk) -> Self {
        Self {
            world,
            desk,
            role_arn: |account, _, function| Self::role_arn(account, function),
        }
    }

    /// Uses other roles than one for each account and function.
    pub fn under(self, role_arn: RoleArn) -> Self {
        Self { role_arn, ..self }
    }

    /// Returns the default role of a function in an account.
    pub fn role_arn(account: &str, function: &str) -> String {
        format!("arn:aws:iam::{account}:role/{function}")
    }
}

impl FunctionHost for InProcess {
    fn invoke(
        &self,
        invocation: Hosted,
    ) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(self.run(invocation))
    }
}

impl InProcess {
    async fn run(&self, invocation: Hosted) -> Result<Value, String> {
        let function = invocation
            .function_arn
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let hand = Hand::Function(invocation.work.clone());
        let stack_id = &invocation.work.stack_id;
        let role = (self.role_arn)(&invocation.account, stack_id, &function);
        let keys = self
            .world
            .credentials(&invocation.account, &role, hand.clone());
        let config = self.world.sdk_config(&keys, &invocation.region);
        let settings = Settings {
            max_invocation_age: invocation.max_invocation_age,
            stack_id: Some(stack_id.clone()),
            state_machine_arn: invocation.state_machine_arn.clone(),
            has_endpoint_override: false,
        };
        let context = Context {
            request_id: format!("invocation-{}", invocation.work.invocation),
            function_arn: invocation.function_arn,
            deadline: invocation.deadline,
        };
        let world_clock = self.world.clock();
        let clock = Clock::starting_at(world_clock.wall(world_clock.now()));
        let answers = Answers {
            desk: self.desk.clone(),
            hand,
        };
        let event = invocation.event;
        if function == "publish-zone" {
            let types = PublishZone::new(&config);
            Function::new(types, None::<NoWaiter>, answers, settings)
                .handle(event, &context, clock)
                .await
        } else {
            let everywhere = SocketAddr::new(EVERYWHERE, 53);
            let dns = Dns::new(
                WorldDns(self.world.clone()),
                NameServerList::from(vec![everywhere]),
            );
            let types = DelegateSubdomain::new(&config, dns);
            let waiter = settings
                .state_machine_arn
                .clone()
                .map(|arn| StateMachine::new(&config, arn));
            let function = Function::new(types, waiter, answers, settings);
            Box::pin(function.handle(event, &context, clock)).await
        }
        .map_err(|error| error.to_string())
    }
}

/// PUTs answers to the desk.
#[derive(Clone, Debug)]
struct Answers {
    desk: AnswerDesk,
    hand: Hand,
}

impl AnswerTransport for Answers {
    async fn put(&self, url: &str, body: Vec<u8>) -> Result<Reply, String> {
        let received = self.desk.receive(&self.hand, url, &body).await;
        received.map(Reply::from).map_err(|lost| lost.to_string())
    }
}

/// Queries the world's name servers.
#[derive(Clone, Debug)]
pub struct WorldDns(World);

/// The time-out of the functions' own sockets.
const SILENCE: Duration = Duration::from_secs(6);

impl Transport for WorldDns {
    async fn exchange(
        &self,
        server: SocketAddr,
        query: &[u8],
        protocol: Protocol,
    ) -> io::Result<Vec<u8>> {
        let reachable = self.0.state().settings.dns_reachable;
        let answer = reachable
            .then(|| {
                self.0
                    .dns_exchange(server.ip(), query, protocol == Protocol::Udp)
            })
            .flatten();
        match answer {
            Some(answer) => {
                self.0.clock().sleep(Duration::from_millis(20)).await;
                Ok(answer)
            }
            None => {
                self.0.clock().sleep(SILENCE).await;
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }
}
