// Records: what the server of the tests has.
//
// Knows the API. 240 quiet records, four by four over the last forty minutes; one trace over three
// services that ends in an error; and texts that are meant to break something.

const { PAGE_URL, PAGE_TOKEN } = process.env;

export const QUIET = 240;
export const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
export const USERS = ["ann", "bob", "carla"];
export const now = Date.now();

/** Values that must come back exactly when they are asked for. */
export const ODD = [
  "plain", "two words", "or", "a|b", "a\"b", "back\\slash", "line\nend", "tab\there", "it's", "`tick`",
  "支付失败", "5ms", "1e3", "x=y", "(a, b)", "~re", "*star*", "-minus", "a:b", "", " ", "<b>bold</b>", "ünïcode", "a@b.c/d-e",
];

/** What would run if it were markup. */
export const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>";

export async function post(records) {
  const answer = await fetch(`${PAGE_URL}/api/logs`, {
    method: "POST",
    headers: { authorization: `Bearer ${PAGE_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(records),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

export async function fill() {
  await post([...quiet(), ...trace(), ...odd(), hostile()]);
}

const at = (ms) => new Date(ms).toISOString();

function quiet() {
  return Array.from({ length: QUIET }, (_, index) => ({
    time: at(now - 40 * 60_000 + index * 10_000),
    level: ["DEBUG", "INFO", "INFO", "WARN"][index % 4],
    message: index % 4 === 3 ? `slow answer: ${index} ms` : `request ${index} handled`,
    logger: "shop::http",
    service: ["catalogue", "checkout"][index % 2],
    host: `web-${index % 3}`,
    latency_ms: index,
    user: USERS[index % 3],
    http: { status: index % 4 === 3 ? 504 : 200, path: `/items/${index % 9}` },
  }));
}

function trace() {
  const begin = now - 5 * 60_000;
  const record = (ms, service, span, parent, level, message, more = {}) => ({
    time: at(begin + ms), level, message, service, host: `${service}-1`, logger: `${service}::main`,
    trace_id: TRACE, span_id: span, ...(parent ? { parent_span_id: parent } : {}), ...more,
  });
  return [
    record(0, "gateway", "00f067aa0ba90001", null, "INFO", "route to payment"),
    record(20, "payment", "00f067aa0ba90002", "00f067aa0ba90001", "INFO", "charge the card", { amount: 12.5 }),
    record(40, "bank", "00f067aa0ba90003", "00f067aa0ba90002", "WARN", "answer is late"),
    record(90, "bank", "00f067aa0ba90003", "00f067aa0ba90002", "ERROR", "no answer"),
    record(100, "payment", "00f067aa0ba90002", "00f067aa0ba90001", "ERROR", "payment failed: bank did not answer",
      { error: { kind: "timeout", chain: ["payment failed", "timed out"] }, big: 1 }),
    record(120, "gateway", "00f067aa0ba90001", null, "CRITICAL", "checkout is down", { duration_ms: 120 }),
  ];
}

function odd() {
  return ODD.map((value, index) => ({
    time: at(now - 4 * 60_000 + index), level: "TRACE", message: "odd one", service: "odd", odd: value, "odd name": index,
  }));
}

const hostile = () => ({
  time: at(now - 3 * 60_000), level: "INFO", message: HOSTILE, service: HOSTILE, [HOSTILE]: HOSTILE, id: "hostile",
});

/** Records without those of the server itself, which an admin sees too. */
export const OURS = "-stream:=_audit";
export const COUNT = QUIET + 6 + ODD.length + 1;
