// Docs: shows the OpenAPI document.
//
// Knows its form. Does not know the routes.

import { el } from "./dom.js";
import { applyTheme } from "./theme.js";

applyTheme();
const { paths } = await (await fetch("/openapi.json")).json();
const groups = Map.groupBy(
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation }))),
  ({ operation }) => operation.tags[0]);

function section({ path, method, operation }) {
  const scope = operation["x-scope"];
  const row = (name, text) => el("tr", {}, el("td", {}, el("code", { text: name })), el("td", { text }));
  const parameters = operation.parameters.map(({ name, description }) => row(name, description ?? "in the path"));
  const answers = Object.entries(operation.responses).map(([status, { description }]) => row(status, description));
  return el("details", {},
    el("summary", {}, el("b", { class: `method method-${method}`, text: method.toUpperCase() }), " ",
      el("code", { text: path }), " ", el("span", { text: operation.summary }),
      scope ? el("small", { class: "scope", text: scope }) : null),
    parameters.length ? el("table", {}, el("caption", { text: "Parameters" }), el("tbody", {}, ...parameters)) : null,
    el("table", {}, el("caption", { text: "Answers" }), el("tbody", {}, ...answers)));
}

document.getElementById("routes").append(...[...groups].flatMap(([tag, routes]) =>
  [el("h2", { text: tag }), ...routes.map(section)]));
