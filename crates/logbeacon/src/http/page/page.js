// The page: logs in, searches, shows records. Everything from the server is shown as text.
const at = (id) => document.getElementById(id);
const wellKnown = new Set(["time", "level", "message"]);

function part(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

function row(record) {
  const item = document.createElement("li");
  item.className = record.level ?? "";
  const others = Object.entries(record).filter(([name]) => !wellKnown.has(name));
  const fields = others.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(" ");
  item.append(
    part("time", record.time ?? ""), " ", part("level", record.level ?? ""), " ",
    part("message", record.message ?? ""), " ", part("fields", fields));
  return item;
}

async function failure(answer) {
  const problem = await answer.json().catch(() => null);
  return problem?.error?.reason ?? `status ${answer.status}`;
}

function show(isIn) {
  at("enter").hidden = isIn;
  at("search").hidden = !isIn;
  at("leave").hidden = !isIn;
}

async function search(event) {
  event?.preventDefault();
  const params = new URLSearchParams({ query: at("query").value || "*", limit: "200" });
  if (at("range").value) params.set("start", at("range").value);
  history.replaceState(null, "", `?query=${encodeURIComponent(at("query").value)}`);
  at("state").textContent = "…";
  const answer = await fetch(`/api/v1/search?${params}`);
  at("records").replaceChildren();
  if (!answer.ok) {
    at("state").textContent = await failure(answer);
    return;
  }
  const rows = (await answer.text()).trim().split("\n").map((line) => JSON.parse(line));
  const summary = rows.pop()._summary;
  at("records").append(...rows.map(row));
  const missing = summary.skipped.map((part) => `${part.what}: ${part.reason}`).join("; ");
  at("state").textContent =
    `${rows.length} shown` + (summary.complete ? "" : `, not complete: ${missing}`);
}

async function enter(event) {
  event.preventDefault();
  const answer = await fetch("/session", {
    method: "POST",
    body: new URLSearchParams({ token: at("token").value }),
  });
  at("token").value = "";
  if (!answer.ok) {
    at("state").textContent = await failure(answer);
    return;
  }
  show(true);
  await search();
}

async function leave() {
  await fetch("/session", { method: "DELETE" });
  at("records").replaceChildren();
  at("state").textContent = "";
  show(false);
}

at("enter").addEventListener("submit", enter);
at("search").addEventListener("submit", search);
at("leave").addEventListener("click", leave);
at("query").value = new URLSearchParams(location.search).get("query") ?? "";
const who = await fetch("/session");
show(who.ok);
if (who.ok) await search();
