//! The registry: names, labels, limits, and what a mistake does.

use allocation_counter::measure;
use logwell::metrics::{Counter, Format, Gauge, Registry};

fn text(registry: &Registry) -> String {
    registry.render(Format::Text)
}

#[test]
fn a_metric_is_created_once_by_its_name() {
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs.").inc();
    registry.counter("jobs", "Jobs, by its other name.").inc();
    registry.counters("mails_total", "Mails.", ["kind"]).with(["bill"]).inc();
    registry.counters("mails_total", "Mails.", ["kind"]).with(["bill"]).inc();
    let page = text(&registry);
    assert!(page.contains("\njobs_total 2\n"), "{page}");
    assert!(page.contains("\nmails_total{kind=\"bill\"} 2\n"), "{page}");
    assert_eq!(page.matches("# TYPE jobs_total").count(), 1);
    assert_eq!(registry.problems(), Vec::<String>::new());
}

#[test]
fn a_mistake_gives_an_instrument_that_works_and_is_named_as_a_problem() {
    let registry = Registry::new();
    let _first = registry.counter("jobs_total", "Jobs.");
    let gauge = registry.gauge("jobs", "Jobs as a gauge.");
    gauge.set(3.0);
    assert_eq!(gauge.get(), 3.0);
    registry.counters("jobs_total", "Jobs.", ["kind"]).with(["a"]).inc();
    let bounds = [1.0, 2.0];
    registry.histogram("size", "Size.", &bounds).observe(1.0);
    registry.histogram("size", "Size.", &[1.0, 3.0]).observe(1.0);
    registry.histogram("size", "Size.", &[2.0, 1.0, f64::INFINITY, 1.0]).observe(1.0);
    registry.counter("with a space", "Oh.").inc();
    registry.counters("le_total", "Oh.", ["le"]).with(["1"]).inc();
    registry.labelled::<Counter>("dots_total", "Oh.", &[("a.b", "1")]).inc();

    let problems = registry.problems();
    for (at, words) in [
        (0, "jobs is there already, with another kind"),
        (1, "jobs_total is there already, with other labels"),
        (2, "size is there already, with other buckets"),
        (3, "\"with a space\" cannot be the name of a metric"),
        (4, "le_total: \"le\" cannot be the name of a label"),
        (5, "dots_total: \"a.b\" cannot be the name of a label"),
    ] {
        assert!(problems[at].contains(words), "{problems:#?}");
    }
    assert_eq!(problems.len(), 6, "{problems:#?}");
    let page = text(&registry);
    assert!(page.contains("size_count 2\n"), "{page}");
    assert!(!page.contains("kind=") && !page.contains("dots") && !page.contains("space"), "{page}");
}

#[test]
fn beyond_the_limit_all_further_series_are_one_and_the_page_says_so() {
    let registry = Registry::new();
    let seen = registry.counters("seen_total", "Seen.", ["user", "kind"]);
    for user in 0..2_500 {
        seen.with([&user.to_string(), "a"]).inc();
    }
    seen.with(["7", "a"]).inc(); // one of those that are there
    let page = text(&registry);
    let series = page.lines().filter(|line| line.starts_with("seen_total{")).count();
    assert_eq!(series, 2_001);
    assert!(page.contains("seen_total{user=\"7\",kind=\"a\"} 2\n"));
    assert!(page.contains("seen_total{user=\"_other\",kind=\"_other\"} 500\n"));
    assert!(page.contains("logwell_metrics_overflow_total{metric=\"seen_total\"} 500\n"));
}

#[test]
fn labels_of_an_open_metric_may_differ_and_their_order_does_not_matter() {
    let registry = Registry::new();
    registry.labelled::<Counter>("x_total", "X.", &[("b", "2"), ("a", "1")]).inc();
    registry.labelled::<Counter>("x_total", "X.", &[("a", "1"), ("b", "2")]).inc();
    registry.labelled::<Counter>("x_total", "X.", &[("c", "3")]).inc();
    registry.labelled::<Gauge>("y", "Y.", &[]).set(0.5);
    registry.labelled_histogram("z", "Z.", &[("a", "1")], &[1.0]).observe(0.5);
    registry.labelled_histogram("z", "Z.", &[("a", "2")], &[7.0]).observe(0.5);
    registry.describe("x_total", "What X is.");
    let page = text(&registry);
    for line in [
        "# HELP x_total What X is.\n",
        "x_total{a=\"1\",b=\"2\"} 2\n",
        "x_total{c=\"3\"} 1\n",
        "y 0.5\n",
        "z_bucket{a=\"2\",le=\"1.0\"} 1\n",
    ] {
        assert!(page.contains(line), "{line}{page}");
    }
    assert_eq!(registry.problems(), Vec::<String>::new());
}

#[test]
fn a_series_that_is_known_is_found_without_memory_from_the_heap() {
    let registry = Registry::new();
    let requests = registry.counters("requests_total", "Requests.", ["method", "route"]);
    let sizes = registry.histograms("size_bytes", "Sizes.", ["route"], &[1.0, 10.0]);
    let count = || {
        requests.with(["GET", "/orders/{id}"]).inc();
        sizes.with(["/orders/{id}"]).observe(5.0);
    };
    count();
    assert_eq!(measure(count).count_total, 0);
}

#[test]
fn a_series_goes_when_it_is_removed() {
    let registry = Registry::new();
    let rooms = registry.gauges("room_guests", "Guests.", ["room"]);
    rooms.with(["red"]).set(1.0);
    rooms.with(["blue"]).set(1.0);
    rooms.remove(["red"]);
    let page = text(&registry);
    assert!(page.contains("blue") && !page.contains("red"), "{page}");
}

#[test]
fn a_collector_that_panics_costs_its_own_metrics_and_no_other() {
    use logwell::metrics::Kind;
    let registry = Registry::new();
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    registry.collect(|_| panic!("a test's own"));
    registry.collect(|page| drop(page.family(Kind::Gauge, "fine", "Fine.").sample(&[], 1_u64)));
    let page = text(&registry);
    std::panic::set_hook(quiet);
    assert!(page.contains("\nfine 1\n"), "{page}");
    assert!(registry.problems()[0].contains("a collector panicked"));
}
