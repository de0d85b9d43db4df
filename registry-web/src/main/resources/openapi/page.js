// SPDX-License-Identifier: Apache-2.0
// Shows openapi.json. All text becomes text nodes, and nothing is loaded from elsewhere.
const VERBS = ["get", "put", "post", "patch", "delete"];
const page = document.getElementById("page");
const state = document.getElementById("state");

function el(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes ?? {}).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return made;
}

/** Text with `code` in it. */
function prose(text) {
    return el("p", {}, (text ?? "").split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part)));
}

const answer = await fetch("openapi.json");
const api = await answer.json();

function resolved(node) {
    if (!node?.$ref) {
        return node ?? {};
    }
    const target = node.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
    const { $ref, ...beside } = node;
    const base = resolved(target);
    const properties = base.properties || beside.properties ? { properties: { ...base.properties, ...beside.properties } } : {};
    return { ...base, ...beside, ...properties };
}

function typeOf(schema) {
    const s = resolved(schema);
    const words = s.enum ?? (s.const === undefined ? undefined : [s.const]);
    if (words) {
        return words.join(", ");
    }
    if (s.anyOf ?? s.oneOf) {
        return (s.anyOf ?? s.oneOf).map(typeOf).filter((text) => text !== "any").join(" or ") || "object";
    }
    const limits = ["minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "default", "pattern", "format"]
        .filter((key) => s[key] !== undefined).map((key) => `${key} ${s[key]}`);
    const name = s.type === "array" ? `array of ${typeOf(s.items)}` : [s.type ?? "any"].flat().join(" or ");
    return [name, ...limits].join(", ");
}

/** The members of an object, those of its members one below the other. */
function members(schema, depth = 0) {
    const s = resolved(schema);
    if (s.type === "array") {
        return members(s.items, depth);
    }
    const parts = (s.anyOf ?? []).map((part) => members(part, depth)).filter((part) => part);
    const rows = Object.entries(s.properties ?? {}).map(([name, member]) => el("tr", {},
        el("th", { scope: "row" }, el("code", {}, name), s.required?.includes(name) ? " (required)" : ""),
        el("td", {}, el("code", {}, typeOf(member)), prose(resolved(member).description),
            depth < 4 ? members(member, depth + 1) : null)));
    return rows.length ? el("div", {}, el("table", {}, el("tbody", {}, rows)), parts) : parts.length ? el("div", {}, parts) : null;
}

function example(media) {
    const s = resolved(media.schema);
    const shown = media.example ?? s.examples?.[0];
    const text = typeof shown === "string" ? shown : JSON.stringify(shown, null, 2);
    return shown === undefined ? null : el("pre", { tabindex: "0", role: "group", "aria-label": "Example" }, text);
}

function content(part) {
    return Object.entries(part.content ?? {}).map(([type, media]) =>
        el("div", {}, el("p", {}, el("code", {}, type)), prose(resolved(media.schema).description), members(media.schema), example(media)));
}

function named(rows) {
    return rows.length ? el("table", {}, el("tbody", {}, rows.map(([name, where, node]) => el("tr", {},
        el("th", { scope: "row" }, el("code", {}, name), node.required ? " (required)" : ""),
        el("td", {}, where, where ? ", " : "", el("code", {}, typeOf(node.schema)), prose(node.description)))))) : null;
}

function operation(path, verb, op) {
    const parameters = (op.parameters ?? []).map(resolved);
    const schemes = (op.security ?? []).map((way) => Object.keys(way).join(" and ") || "nothing");
    const body = resolved(op.requestBody);
    const answers = Object.entries(op.responses).map(([status, ref]) => {
        const response = resolved(ref);
        const headers = Object.entries(response.headers ?? {}).map(([name, header]) => [name, "", resolved(header)]);
        return el("details", {}, el("summary", {}, el("code", {}, status), " ", response.description.replaceAll("`", "")),
            named(headers), content(response));
    });
    const made = el("details", { id: op.operationId },
        el("summary", {}, el("code", { class: "verb" }, verb.toUpperCase()), el("code", {}, path), " ", op.summary.replaceAll("`", "")));
    made.dataset.text = [verb, path, op.summary, op.description, op.operationId, op["x-right"], ...parameters.map((p) => p.name)].join(" ").toLowerCase();
    // Most are never opened.
    made.addEventListener("toggle", () => {
        if (made.open && made.childElementCount === 1) {
            made.append(prose(op.description),
                op["x-right"] ? el("p", {}, "Right: ", el("code", {}, op["x-right"])) : "",
                schemes.length ? el("p", {}, "Authentication: ", el("code", {}, schemes.join(", or "))) : "",
                parameters.length ? el("h3", {}, "Parameters") : "",
                named(parameters.map((p) => [p.name, p.in, p])) ?? "",
                body.content ? el("h3", {}, body.required ? "Body" : "Body (may be left out)") : "",
                prose(body.description), ...content(body),
                el("h3", {}, "Answers"), el("div", { class: "answers" }, answers));
        }
    });
    return made;
}

page.append(prose(api.info.description));
for (const tag of api.tags) {
    const section = el("section", {}, el("h2", {}, tag.name), prose(tag.description));
    for (const [path, item] of Object.entries(api.paths)) {
        section.append(...VERBS.filter((verb) => item[verb]?.tags[0] === tag.name).map((verb) => operation(path, verb, item[verb])));
    }
    page.append(section);
}
page.append(el("section", {}, el("h2", {}, "Authentication"),
    named(Object.entries(api.components.securitySchemes).map(([name, scheme]) => [name, scheme.scheme ?? scheme.name, scheme]))));

function open() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.tagName === "DETAILS") {
        target.open = true;
        target.scrollIntoView();
    }
}

function search() {
    const words = document.getElementById("search").value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const section of page.querySelectorAll("section")) {
        const all = [...section.children].filter((child) => child.dataset.text !== undefined);
        const shown = all.filter((one) => {
            const found = words.every((word) => one.dataset.text.includes(word));
            one.classList.toggle("hidden", !found);
            return found;
        });
        section.classList.toggle("hidden", all.length > 0 && shown.length === 0);
        count += shown.length;
    }
    state.textContent = `${count} requests`;
}
document.getElementById("search").addEventListener("input", search);
addEventListener("hashchange", open);
search();
open();
