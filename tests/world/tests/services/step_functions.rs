use aws_sdk_sfn::Client;

use crate::{ACCOUNT, code, world};

#[tokio::test(start_paused = true)]
async fn an_execution_starts_once_and_its_name_stays_in_use() {
    let world = world(|_| {});
    let machine = format!("arn:aws:states:eu-west-1:{ACCOUNT}:stateMachine:waiter");
    let client = Client::new(&crate::function(&world, 1));
    let start = |input: &str| {
        client
            .start_execution()
            .state_machine_arn(&machine)
            .name("zd-1")
            .input(input)
            .send()
    };
    assert_eq!(code(start("{}").await), "StateMachineDoesNotExist");
    world.put_state_machine(&machine);
    start("{}").await.unwrap();
    start("{}").await.unwrap();
    assert_eq!(code(start("{\"a\": 1}").await), "ExecutionAlreadyExists");
    assert_eq!(world.take_executions(2), []);
    assert_eq!(world.take_executions(1).len(), 1);
    assert_eq!(world.take_executions(1), []);
    world.end_execution(&machine, "zd-1");
    assert_eq!(code(start("{}").await), "ExecutionAlreadyExists");
}
