// Shows the OpenAPI document.
const document_ = await (await fetch("/openapi.json")).json();
const main = document.getElementById("routes");

function add(parent, name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
}

for (const [path, operations] of Object.entries(document_.paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    const section = add(main, "details", "");
    const scope = operation["x-scope"] ? ` (${operation["x-scope"]})` : "";
    add(section, "summary", `${method.toUpperCase()} ${path}${scope}: ${operation.summary}`);
    const list = add(section, "ul", "");
    for (const parameter of operation.parameters) {
      add(list, "li", `${parameter.name}: ${parameter.description ?? ""}`);
    }
    for (const [status, answer] of Object.entries(operation.responses)) {
      add(list, "li", `${status}: ${answer.description}`);
    }
  }
}
