//! Plot: the results as two SVG pictures.

use crate::subject;
use crate::table::{median, thread_workloads, values};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 150.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 9] = [
    "#444444", "#d62728", "#1f77b4", "#9467bd", "#8c564b", "#bcbd22", "#17becf", "#e377c2",
    "#2ca02c",
];

/// A picture of lines; both axes are logarithmic.
struct Chart {
    title: &'static str,
    x_title: &'static str,
    x_ticks: Vec<(f64, String)>,
    y_ticks: Vec<(f64, String)>,
    lines: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// The time of a call against the share of calls that took no longer: medians of the runs.
pub fn latency(rows: &[Value]) -> String {
    let mut lines = Vec::new();
    for subject in subject::names() {
        // By how rare the call is, 1 in so many; a million times that, to have an order.
        let mut by_part: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        let runs = rows.iter().filter(|row| {
            row["subject"] == subject
                && row["workload"] == "latency-fields"
                && row["counts"] == true
        });
        for point in runs.filter_map(|row| row["curve"].as_array()).flatten() {
            if let (Some(part), Some(ns)) = (point[0].as_f64(), point[1].as_f64()) {
                by_part.entry((1e6 / (1.0 - part)).round() as u64).or_default().push(ns);
            }
        }
        let points = by_part.into_iter().filter_map(|(part, mut ns)| {
            ns.sort_by(f64::total_cmp);
            Some((part as f64 / 1e6, median(&ns)?.max(1.0)))
        });
        lines.push((subject, points.collect()));
    }
    let tick = |(at, text): (f64, &str)| (at, text.to_owned());
    Chart {
        title: "Time of a call, message and five fields, bursts of 100 every 5 ms",
        x_title: "share of the calls that took no longer",
        x_ticks: [(1.0, "0"), (2.0, "50 %"), (10.0, "90 %"), (1e2, "99 %"), (1e3, "99.9 %")]
            .into_iter()
            .chain([(1e4, "99.99 %")])
            .map(tick)
            .collect(),
        y_ticks: [
            (10.0, "10 ns"),
            (100.0, "100 ns"),
            (1e3, "1 µs"),
            (1e4, "10 µs"),
            (1e5, "100 µs"),
        ]
        .into_iter()
        .chain([(1e6, "1 ms"), (1e7, "10 ms")])
        .map(tick)
        .collect(),
        lines,
    }
    .draw()
}

/// Throughput against the number of threads: medians of the runs.
pub fn threads(rows: &[Value]) -> String {
    let line = |subject| {
        let points = thread_workloads().into_iter().filter_map(|(workload, threads)| {
            let values = values(rows, subject, workload, "k_records_per_s");
            Some((threads as f64, median(&values)?))
        });
        (subject, points.collect())
    };
    let ticks = thread_workloads().into_iter().map(|(_, n)| (n as f64, n.to_string()));
    let thousands = [(10.0, "10 k/s"), (1e2, "100 k/s"), (1e3, "1 M/s"), (1e4, "10 M/s")];
    Chart {
        title: "Records a second until the last byte is in the file, lossless",
        x_title: "threads that log",
        x_ticks: ticks.collect(),
        y_ticks: thousands.map(|(at, text)| (at, text.to_owned())).into(),
        lines: subject::names().into_iter().map(line).collect(),
    }
    .draw()
}

impl Chart {
    fn draw(&self) -> String {
        let scale = |ticks: &[(f64, String)], from: f64, to: f64| {
            let least = ticks.first().map_or(1.0, |tick| tick.0).log10();
            let most = ticks.last().map_or(10.0, |tick| tick.0).log10();
            move |value: f64| {
                let part = ((value.log10() - least) / (most - least)).clamp(0.0, 1.0);
                from + part * (to - from)
            }
        };
        let x = scale(&self.x_ticks, LEFT, WIDTH - RIGHT);
        let y = scale(&self.y_ticks, HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\">{}</text>\n",
            self.title
        );
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for (at, text) in &self.x_ticks {
            let x = x(*at);
            _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#ddd\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                bottom + 18.0
            );
        }
        for (at, text) in &self.y_ticks {
            let y = y(*at);
            _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        let middle = (LEFT + right) / 2.0;
        _ = writeln!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 12.0,
            self.x_title
        );
        for (at, (name, points)) in self.lines.iter().enumerate().filter(|(_, l)| !l.1.is_empty()) {
            let colour = COLOURS.get(at % COLOURS.len()).copied().unwrap_or("black");
            let width = if *name == "logwell" { 3.5 } else { 1.5 };
            let points: Vec<_> =
                points.iter().map(|(px, py)| format!("{:.1},{:.1}", x(*px), y(*py))).collect();
            let legend = TOP + 14.0 + at as f64 * 20.0;
            _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>\n\
                 <path d=\"M{:.1} {legend}h20\" stroke=\"{colour}\" stroke-width=\"{width}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                points.join(" "),
                right + 14.0,
                right + 40.0,
                legend + 4.0
            );
        }
        svg + "</svg>\n"
    }
}
