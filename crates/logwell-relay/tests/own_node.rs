//! A worker and a broker that is killed, restarted, or short of memory: on a node of the test's
//! own.

mod support;

use std::collections::BTreeSet;

use support::node::Node;
use support::stub::{Answer, Stub};
use support::{Queues, Running, hashes, record, until};

fn worker(queues: &Queues, stub: &Stub) -> Running {
    let mut command = queues.program(&["logbeacon", "--broker-tries", "0"]);
    command.env("LOGBEACON_URL", &stub.url);
    Running::start(command)
}

#[test]
fn a_broker_that_is_killed_and_comes_back_costs_nothing() {
    let Some(mut node) = Node::start() else { return };
    let mut queues = Queues::on(node.port);
    let stub = Stub::willing();
    queues.send(&queues.logbeacon(), (0..2_000).map(|n| record(&n.to_string())));
    let worker = worker(&queues, &stub);
    for kills in 1..=2 {
        stub.wait_for(kills * 300);
        node.kill();
        node.up();
    }
    let all = |received: &[_]| hashes(received).into_iter().collect::<BTreeSet<_>>().len() == 2_000;
    stub.wait_until(all);
    queues.connect();
    queues.wait_for(&queues.logbeacon(), 0);
    worker.signal("TERM");
    let (status, log) = worker.end();
    assert!(status.success());
    assert_eq!(log.matches("the broker was lost").count(), 2, "{log}");
    assert_eq!(queues.waiting(&queues.logbeacon()), Some(0));
}

#[test]
fn a_broker_short_of_memory_holds_up_dead_letters_and_nothing_else() {
    let Some(node) = Node::start() else { return };
    let queues = Queues::on(node.port);
    let stub = Stub::start(|_, request| match request.body.contains("bad") {
        true => Answer::status(413),
        false => Answer::status(200),
    });
    let good = (0..50).map(|n| record(&format!("good-{n}")));
    queues.send(&queues.logbeacon(), [record("bad")].into_iter().chain(good));
    node.control(&["set_vm_memory_high_watermark", "0.000001"]);
    let mut command =
        queues.program(&["logbeacon", "--broker-timeout", "5s", "--broker-tries", "0"]);
    command.env("LOGBEACON_URL", &stub.url);
    let worker = Running::start(command);
    // The bad one comes back again and again, at the pace of its pause; the good ones pass by.
    let passed = |received: &[_]| {
        let good = hashes(received).into_iter().filter(|hash| hash.starts_with("good"));
        good.collect::<BTreeSet<_>>().len() == 50
    };
    stub.wait_until(|received| {
        passed(received) || hashes(received).iter().filter(|hash| *hash == "bad").count() > 1
    });
    node.control(&["set_vm_memory_high_watermark", "0.6"]);
    stub.wait_until(passed);
    let dead = format!("{}.dead", queues.logbeacon());
    until("the bad one is in the dead queue", || queues.waiting(&dead).unwrap_or(0) >= 1);
    queues.wait_for(&queues.logbeacon(), 0);
    worker.signal("TERM");
    assert!(worker.end().0.success());
    assert!(queues.take_all(&dead).iter().all(|message| message.id == "bad"));
}
