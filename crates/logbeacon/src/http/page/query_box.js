// Query box: where a query is typed: coloured, completed, and with its error at its place.
//
// Knows the box and its list. Does not search: it calls `onInput` while somebody types and
// `onSubmit` when the query is meant. A picture of the text, with colours, is behind the text
// itself.

import { byId, el } from "./dom.js";
import { candidates } from "./completion.js";
import { indexOfByte, tokens } from "./query.js";

const PAUSE_MS = 120;

export class QueryBox {
  #list = [];
  #listOf = "";
  #active = -1;
  #asked = null;
  #timer = 0;
  #error = null;
  #fault = null;
  #taking = null;

  /** `range()` is where values are looked for. */
  constructor({ onInput, onSubmit, range }) {
    Object.assign(this, { onInput, onSubmit, range });
    this.input = byId("query");
    this.colours = byId("query-colours");
    this.options = byId("query-options");
    this.message = byId("query-error");
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.#close(), 150));
    this.input.addEventListener("click", () => this.#complete());
    this.input.addEventListener("focus", () => { if (!this.text) this.#complete(); });
    this.input.addEventListener("scroll", () => { this.colours.scrollTop = this.input.scrollTop; });
    new ResizeObserver(() => this.#fit()).observe(this.input.parentElement);
  }

  get text() {
    return this.input.value;
  }

  set text(text) {
    if (this.input.value === text) return;
    this.input.value = text;
    this.#error = null;
    this.#fault = null;
    this.#paint();
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** Shows where the server cannot read the query; null takes it away. */
  showError(query) {
    this.#fault = query;
    this.#showFault();
  }

  /** What is only unfinished is no fault while a completion is offered. */
  #showFault() {
    const fault = this.#fault;
    const isUnfinished = fault && !this.options.hidden && indexOfByte(this.text, fault.offset) >= this.text.length;
    const query = isUnfinished ? null : fault;
    this.#error = query && {
      start: indexOfByte(this.text, query.offset),
      end: indexOfByte(this.text, query.offset + Math.max(query.length, 1)),
    };
    this.input.setAttribute("aria-invalid", String(Boolean(query)));
    const said = query ? [el("b", { text: sentence(query.what) })] : [];
    if (query?.suggestion) said.push(" ", this.#suggestion(query));
    this.message.replaceChildren(...said);
    this.#paint();
  }

  /** `did you mean warn?` puts it right with a click. */
  #suggestion({ suggestion }) {
    const [, word] = /^did you mean (\S+?)\?$/.exec(suggestion) ?? [];
    if (!word || !this.#error) return el("span", { text: suggestion });
    const { start, end } = this.#error;
    const click = () => this.#replace(start, end, word);
    return el("button", { type: "button", class: "link", text: suggestion, on: { click } });
  }

  #replace(from, to, text) {
    const end = Math.min(to, this.text.length);
    this.input.setRangeText(text, from, end, "end");
    this.input.focus();
    this.#typed();
  }

  #typed() {
    this.#error = null;
    this.#fault = null;
    this.message.replaceChildren();
    this.#paint();
    this.onInput(this.text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#complete(), PAUSE_MS);
  }

  async #complete() {
    this.#asked?.abort();
    const asked = this.#asked = new AbortController();
    const { text, input } = this;
    const found = await candidates(text, input.selectionStart, this.range(), asked.signal).catch(() => []);
    const isLate = asked.signal.aborted || text !== this.text || document.activeElement !== input;
    if (!isLate) this.#open(found);
  }

  #open(list) {
    this.#list = list;
    this.#listOf = this.text;
    this.#active = -1;
    this.options.replaceChildren(...list.map(({ text, hint }, index) =>
      el("li", {
        id: `query-option-${index}`,
        role: "option",
        "aria-selected": "false",
        on: { pointerdown: (event) => { event.preventDefault(); this.#take(index); } },
      }, el("span", { text }), el("small", { text: hint }))));
    this.options.hidden = !list.length;
    this.#showFault();
    this.input.removeAttribute("aria-activedescendant");
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    if (!this.options.hidden) this.#open([]);
  }

  async #take(index) {
    // Whoever types faster than the list is made means the list of what was typed.
    if (this.#listOf !== this.text) await this.#complete();
    if (!this.#list[index]) return;
    const { from, to, insert } = this.#list[index];
    this.#close();
    this.#replace(from, to, insert);
  }

  #key(event) {
    const { key } = event;
    const count = this.#list.length;
    const by = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (by && count) this.#activate((this.#active + by + count + (this.#active < 0 && by < 0 ? 1 : 0)) % count);
    else if (key === "ArrowDown" && !event.altKey) this.#complete();
    else if (key === "Tab" && count && !event.shiftKey) this.#taking = this.#take(Math.max(0, this.#active));
    else if (key === "Enter" && this.#active >= 0) this.#taking = this.#take(this.#active);
    else if (key === "Enter" && !event.shiftKey) this.#submit(); else if (key === "Escape" && count) this.#close();
    else if (key === "Escape") this.input.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async #submit() {
    await this.#taking;
    this.#close();
    this.onSubmit(this.text);
  }

  #activate(index) {
    this.#active = index;
    [...this.options.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) option.scrollIntoView({ block: "nearest" });
    });
    this.input.setAttribute("aria-activedescendant", `query-option-${index}`);
  }

  /** The picture of the text. */
  #paint() {
    const { text } = this;
    const parts = [];
    for (const token of tokens(text)) {
      for (const [piece, isWrong] of this.#pieces(token)) {
        const wrong = isWrong ? " is-wrong" : "";
        parts.push(token.kind === "space" && !isWrong ? piece : el("span", { class: `token-${token.kind}${wrong}`, text: piece }));
      }
    }
    if (this.#error && this.#error.start >= text.length) parts.push(el("span", { class: "is-wrong", text: " " }));
    // A line's end at the end is a line, as in the box.
    this.colours.replaceChildren(...parts, "\u200b");
    this.#fit();
  }

  /** A token, cut where the error begins and ends. */
  #pieces({ start, end, text }) {
    const error = this.#error ?? { start: end, end };
    const [from, to] = [error.start, error.end].map((at) => Math.min(Math.max(at - start, 0), text.length));
    return [[text.slice(0, from), false], [text.slice(from, to), true], [text.slice(to), false]]
      .filter(([piece]) => piece);
  }

  /** As high as its text, up to the style's limit. */
  #fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.?!]$/.test(text) ? "" : ".");
