// The demonstration on the front page: fetches the page itself and shows what its headers say.
"use strict";

const element = (id) => document.getElementById(id);
let sequence = 0;

// A request that the browser's own cache does not answer, but that lets Larder answer from its store: without an
// explicit Cache-Control the browser would add "no-cache", which asks for a fresh answer.
const requests = {
  again: () => ({ url: location.pathname, cacheControl: "max-age=86400", label: "GET" }),
  fresh: () => ({ url: location.pathname, cacheControl: "no-cache", label: "GET, no-cache" }),
  new: () => {
    sequence += 1;
    return { url: `${location.pathname}?v=${Date.now().toString(36)}${sequence}`, cacheControl: "max-age=86400", label: "GET, new URL" };
  },
};

// The last member of Cache-Status is the cache closest to the reader (RFC 9211).
function read(cacheStatus) {
  if (!cacheStatus) return { kind: "pass", result: "No cache", meaning: "There is no Cache-Status: this page did not come through Larder." };
  const member = cacheStatus.split(/,\s*(?=[A-Za-z"])/).pop();
  const parameters = new Map(member.split(";").slice(1).map((part) => {
    const [name, value = ""] = part.trim().split("=");
    return [name.toLowerCase(), value.replaceAll('"', "")];
  }));
  const because = parameters.has("detail") ? ` Reason: ${parameters.get("detail")}.` : "";
  if (parameters.has("hit")) {
    const ttl = parameters.get("ttl");
    return { kind: "hit", result: "Hit", meaning: `From the store${ttl ? `, fresh for another ${ttl} s` : ""}.${because}` };
  }
  const forward = parameters.get("fwd") ?? "";
  if (forward === "stale") return { kind: "miss", result: "Revalidated", meaning: `The origin was asked whether the stored answer still holds.${because}` };
  if (forward === "request") return { kind: "miss", result: "Refreshed", meaning: `The request did not want a stored answer.${because}` };
  if (forward.endsWith("miss")) {
    const kept = parameters.has("stored") ? "Fetched from the origin, and kept." : "Fetched from the origin.";
    return { kind: "miss", result: "Miss", meaning: kept + because };
  }
  return { kind: "pass", result: forward === "bypass" ? "Bypass" : forward || "Unknown", meaning: `The store was not asked.${because}` };
}

function cell(text, className) {
  const td = document.createElement("td");
  td.textContent = text;
  if (className) td.className = className;
  return td;
}

function show(label, response, took) {
  const cacheStatus = response.headers.get("cache-status");
  const age = response.headers.get("age");
  const verdict = read(cacheStatus);
  element("result").textContent = verdict.result;
  element("result").className = `figure ${verdict.kind}`;
  element("age").textContent = age === null ? "none" : `${age} s`;
  element("status").textContent = cacheStatus ?? "none";
  element("meaning").textContent = verdict.meaning;

  const row = document.createElement("tr");
  row.className = "flash";
  const result = cell(verdict.result);
  const dot = document.createElement("span");
  dot.className = `dot ${verdict.kind}`;
  result.prepend(dot);
  row.append(cell(new Date().toLocaleTimeString([], { hour12: false })), cell(`${label} → ${response.status}`), result,
    cell(age === null ? "–" : `${age} s`, "number"), cell(`${took.toFixed(1)} ms`, "number"));
  const log = element("log");
  log.prepend(row);
  while (log.rows.length > 8) log.lastElementChild.remove();
}

async function fetchPage(kind) {
  const { url, cacheControl, label } = requests[kind]();
  const buttons = document.querySelectorAll("[data-fetch]");
  buttons.forEach((button) => { button.disabled = true; });
  const start = performance.now();
  try {
    const response = await fetch(url, { cache: "no-store", headers: { "Cache-Control": cacheControl } });
    const took = performance.now() - start;
    await response.text();
    show(label, response, took);
  } catch (error) {
    element("result").textContent = "No answer";
    element("result").className = "figure miss";
    element("meaning").textContent = String(error);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

document.querySelectorAll("[data-fetch]").forEach((button) => {
  button.addEventListener("click", () => fetchPage(button.dataset.fetch));
});
fetchPage("again");
