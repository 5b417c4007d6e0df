//! The broker is a RabbitMQ of the test's own, which is killed, blocked and absent; the direct way
//! remembers what it was given.

#![expect(clippy::print_stderr, reason = "a test that cannot run says so")]

#[allow(unreachable_pub, reason = "the tests of logwell-relay use it too")]
#[path = "../../../crates/logwell-relay/tests/support/node.rs"]
mod node;

use super::Brokered;
use super::Message;
use super::Outcome;
use super::Stop;
use super::Transport;
use super::connection::Address;
use super::link::Link;
use crate::forward::options::RabbitMqConfig;
use lapin::options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use logwell_options::secret::Secret;
use node::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const QUEUE: &str = "test.example_logbeacon";
const PATIENCE: Duration = Duration::from_secs(600);
/// In which a broker on a busy machine answers.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Id and body.
type Taken = (String, Vec<u8>);

/// The direct way: takes each message in so long, and remembers it.
#[derive(Clone, Default)]
struct Direct {
    took: Arc<Mutex<Vec<Taken>>>,
    pace: Duration,
}

impl Direct {
    fn count(&self) -> usize {
        self.took.lock().unwrap().len()
    }
}

impl Transport for Direct {
    fn deliver(&mut self, messages: &[Message], _: &Stop) -> Vec<Outcome> {
        for message in messages {
            std::thread::sleep(self.pace);
            self.took.lock().unwrap().push((message.id.clone(), message.body.clone()));
        }
        vec![Outcome::Delivered; messages.len()]
    }
}

fn brokered(port: u16, direct: &Direct) -> Brokered {
    let config = RabbitMqConfig { port, timeout: TIMEOUT, ..RabbitMqConfig::default() };
    let address = Address::new(&config, QUEUE.to_owned()).unwrap();
    Brokered::new(
        ("logbeacon", Secret::default()),
        Link::start(address).unwrap(),
        Box::new(direct.clone()),
    )
}

fn message(n: usize) -> Message {
    let id = format!("{n:032x}");
    let body = format!(r#"{{"message":"record {n}","hash":"{id}"}}"#).into_bytes();
    Message { id, body, records: 1, from: n as u64 }
}

/// Delivers one message after another until it is so.
fn deliver_until(
    brokered: &mut Brokered,
    what: &str,
    mut is_so: impl FnMut(usize) -> bool,
) -> usize {
    let begin = Instant::now();
    for n in 0.. {
        let fates = brokered.deliver(&[message(n)], &Stop::default());
        assert_eq!(fates, [Outcome::Delivered]);
        if is_so(n + 1) {
            return n + 1;
        }
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    unreachable!("there is always a next number")
}

/// Everything in the queue: id and body, with the delivery mode.
fn take_all(port: u16) -> Vec<(String, Vec<u8>, Option<u8>)> {
    let mut found = Vec::new();
    broker(port, async |channel| {
        while let Some(message) =
            channel.basic_get(QUEUE.into(), BasicGetOptions::default()).await.unwrap()
        {
            let properties = &message.properties;
            let id = properties.message_id().as_ref().unwrap().to_string();
            found.push((id, message.data.clone(), *properties.delivery_mode()));
            message.ack(BasicAckOptions::default()).await.unwrap();
        }
    });
    found
}

/// Makes the queue, and has the broker write down that there is one: a RabbitMQ that is killed
/// within its first second with a new queue may have forgotten it, and with it all that it has
/// confirmed.
fn settle_queue(node: &Node) {
    broker(node.port, async |channel| {
        let durable = QueueDeclareOptions::durable();
        channel.queue_declare(QUEUE.into(), durable, FieldTable::default()).await.unwrap();
    });
    node.control(&["stop_app"]);
    node.control(&["start_app"]);
}

fn broker(port: u16, act: impl AsyncFnOnce(lapin::Channel)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        act(connection.create_channel().await.unwrap()).await;
        // The channel is being closed just now: that it goes is all that counts.
        let _ = connection.close(200, "".into()).await;
    });
}

#[test]
fn a_hundred_thousand_records_survive_a_broker_that_is_killed_five_times() {
    const RECORDS: usize = 100_000;
    let Some(mut node) = Node::start() else { return };
    let port = node.port;
    settle_queue(&node);
    let direct = Direct { pace: Duration::from_millis(2), ..Direct::default() };
    let mut brokered = brokered(port, &direct);
    let (kill, killed) = (std::sync::mpsc::channel::<()>(), std::sync::mpsc::channel::<()>());
    let killer = std::thread::spawn(move || {
        for () in kill.1 {
            node.kill();
            node.up();
            killed.0.send(()).unwrap();
        }
        node
    });
    let all: Vec<Message> = (0..RECORDS).map(message).collect();
    let (mut kills, mut is_whole, mut through_broker) = (0, true, 0);
    let (mut killed_after, mut direct_before, mut is_passed_by) = (Vec::new(), 0, false);
    for batch in all.chunks(super::AT_ONCE) {
        let before = direct.count();
        if is_passed_by && before - direct_before > 3_000 {
            // The broker takes its time to come back: not all are to go past it meanwhile.
            std::thread::sleep(Duration::from_secs(5));
        }
        let fates = brokered.deliver(batch, &Stop::default());
        assert_eq!(fates, vec![Outcome::Delivered; batch.len()]);
        is_passed_by = direct.count() > before;
        through_broker += batch.len() - (direct.count() - before);
        is_whole |= killed.1.try_recv().is_ok();
        if kills < 5 && is_whole && through_broker >= 4_000 {
            // While the next batches are published.
            kill.0.send(()).unwrap();
            killed_after.push(batch[0].from);
            direct_before = direct.count();
            (kills, is_whole, through_broker) = (kills + 1, false, 0);
        }
    }
    assert_eq!(kills, 5, "in the middle, not after the end");
    drop(kill.0);
    let _node = killer.join().unwrap();

    let queued = take_all(port);
    assert!(queued.iter().all(|(_, _, mode)| *mode == Some(2)), "persistent");
    let queued = queued.into_iter().map(|(id, body, _)| (id, body));
    let mut arrived: BTreeMap<String, (BTreeSet<Vec<u8>>, usize)> = BTreeMap::new();
    for (id, body) in queued.chain(direct.took.lock().unwrap().iter().cloned()) {
        let (bodies, times) = arrived.entry(id).or_default();
        bodies.insert(body);
        *times += 1;
    }
    let missing: Vec<_> = (0..RECORDS).filter(|n| !arrived.contains_key(&message(*n).id)).collect();
    assert!(
        missing.is_empty(),
        "{} are missing, from {:?} to {:?}; killed after {killed_after:?}",
        missing.len(),
        missing.first(),
        missing.last()
    );
    assert!(arrived.values().all(|(bodies, _)| bodies.len() == 1), "one hash, one message");
    let twice: usize = arrived.values().map(|(_, times)| times - 1).sum();
    assert!(twice <= 5 * super::AT_ONCE, "{twice} came twice: more than what was in hand");
    assert!(direct.count() < RECORDS / 2, "{} went directly", direct.count());
}

#[test]
fn while_there_is_no_broker_it_goes_directly_and_through_the_broker_once_there_is() {
    let Some(mut node) = Node::stopped() else { return };
    let direct = Direct::default();
    let mut brokered = brokered(node.port, &direct);
    for n in 0..3 {
        assert_eq!(brokered.deliver(&[message(n)], &Stop::default()), [Outcome::Delivered]);
    }
    assert_eq!(direct.count(), 3);
    node.up();
    let sent = deliver_until(&mut brokered, "through the broker", |sent| direct.count() < 3 + sent);
    assert_eq!(take_all(node.port).len(), 3 + sent - direct.count());
}

#[test]
fn a_broker_short_of_memory_is_passed_by_until_it_is_not() {
    let Some(node) = Node::start() else { return };
    let direct = Direct::default();
    let mut brokered = brokered(node.port, &direct);
    assert_eq!(brokered.deliver(&[message(0)], &Stop::default()), [Outcome::Delivered]);
    assert_eq!(direct.count(), 0, "{:?}", brokered.link);

    node.control(&["set_vm_memory_high_watermark", "0.000001"]);
    deliver_until(&mut brokered, "directly", |_| direct.count() >= 3);
    let before = direct.count();
    let begin = Instant::now();
    for n in 0..10 {
        assert_eq!(brokered.deliver(&[message(n)], &Stop::default()), [Outcome::Delivered]);
    }
    assert_eq!(direct.count(), before + 10);
    assert!(begin.elapsed() < TIMEOUT, "nobody waits for a blocked broker");

    node.control(&["set_vm_memory_high_watermark", "0.6"]);
    let mut last = direct.count();
    deliver_until(&mut brokered, "through the broker", |_| {
        let (before, now) = (last, direct.count());
        last = now;
        now == before
    });
}

#[test]
fn a_queue_that_is_deleted_costs_nothing_and_is_made_anew() {
    let Some(node) = Node::start() else { return };
    let direct = Direct::default();
    let mut brokered = brokered(node.port, &direct);
    assert_eq!(brokered.deliver(&[message(0)], &Stop::default()), [Outcome::Delivered]);
    broker(node.port, async |channel| {
        channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.unwrap();
    });
    // Confirmed by the broker, and returned: it would be lost.
    let batch: Vec<_> = (1..10).map(message).collect();
    assert_eq!(brokered.deliver(&batch, &Stop::default()), vec![Outcome::Delivered; 9]);
    assert_eq!(direct.count(), 9);
    let sent = deliver_until(&mut brokered, "into the new queue", |sent| direct.count() < 9 + sent);
    assert_eq!(take_all(node.port).len(), 9 + sent - direct.count());
}

#[test]
fn a_broker_that_accepts_and_says_nothing_holds_up_no_one_and_costs_no_thread_each_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, accepted) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    let timeout = Duration::from_millis(100);
    let config = RabbitMqConfig { port, timeout, ..RabbitMqConfig::default() };
    let address = Address::new(&config, QUEUE.to_owned()).unwrap();
    let direct = Direct::default();
    let link = Link::start(address).unwrap();
    let mut brokered =
        Brokered::new(("logbeacon", Secret::default()), link, Box::new(direct.clone()));
    let begin = Instant::now();
    assert_eq!(brokered.deliver(&[message(0)], &Stop::default()), [Outcome::Delivered]);
    assert_eq!(direct.count(), 1);
    assert!(begin.elapsed() < TIMEOUT, "{:?}", begin.elapsed());
    // Each attempt has ended its connection before the next is made.
    for _ in 0..4 {
        let mut stream = accepted.recv_timeout(PATIENCE).unwrap().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut greeting = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut greeting).unwrap();
        assert!(greeting.starts_with(b"AMQP"), "{greeting:?}");
    }
}

#[test]
fn a_stop_whose_deadline_has_come_is_not_held_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let direct = Direct::default();
    let mut brokered = brokered(port, &direct);
    let stop = Stop::default();
    stop.request(Instant::now() + Duration::from_millis(200));
    let begin = Instant::now();
    brokered.deliver(&[message(0)], &stop);
    assert!(begin.elapsed() < TIMEOUT, "{:?}", begin.elapsed());
}
