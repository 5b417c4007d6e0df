// Login: who is here, and the form for a token.
//
// Knows the routes of the session. The token is sent once and forgotten: what remains is a cookie
// that no script can read.

import { getJson, send } from "./api.js";
import { byId } from "./dom.js";

/** Who is logged in: `{name, scopes}`, or null. */
export async function whoIsHere() {
  const who = await getJson("/session");
  return who.name === null ? null : who;
}

const mayRead = ({ scopes }) => scopes.includes("read") || scopes.includes("admin");

/** Shows the form; resolves when somebody has logged in. */
export function login() {
  document.body.classList.add("is-out");
  byId("login").hidden = false;
  byId("token").focus();
  return new Promise((resolve) => {
    byId("login-form").onsubmit = async (event) => {
      event.preventDefault();
      const wrong = byId("login-error");
      wrong.textContent = "";
      try {
        await send("POST", "/session", new URLSearchParams({ token: byId("token").value }));
        const who = await whoIsHere();
        if (!mayRead(who)) {
          wrong.textContent = `The token “${who.name}” may not read: it needs the scope read.`;
          await logout();
          return;
        }
        byId("token").value = "";
        byId("login").hidden = true;
        document.body.classList.remove("is-out");
        resolve(who);
      } catch (problem) {
        wrong.textContent = problem.status === 401
          ? "Nobody has this token. Check that all of it was copied."
          : problem.message;
        byId("token").select();
      }
    };
  });
}

export const logout = () => send("DELETE", "/session");
