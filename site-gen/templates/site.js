// What a little script adds to the pages: search, sorting, filters, local times, comparing any two results.
// Every page is whole without it. It makes no request but for files of this site.
"use strict";

(() => {
  const root = new URL(".", document.currentScript.src);

  /** Makes an element: attributes by name, children as nodes or text. Text never becomes markup. */
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  };

  /** Hits that the search lists. */
  const HITS_MAX = 100;
  /** Which search is the newest: those before it give up. */
  let latest = 0;

  /** Outcomes that make a run red, and those of tests that ran and did not. */
  const BAD = ["failed", "errored", "unexpected-pass"];
  const RAN = ["passed", "expected-failure", "flaky"];

  const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

  /** The part of the address after the question mark, kept so that the back button restores the page. */
  const query = {
    get: (key) => new URLSearchParams(location.search).get(key) ?? "",
    set(values, push = false) {
      const all = new URLSearchParams(location.search);
      for (const [key, value] of Object.entries(values)) {
        if (value) all.set(key, value);
        else all.delete(key);
      }
      const text = all.toString();
      const address = location.pathname + (text && `?${text}`) + location.hash;
      // Some browsers refuse this for files; the page works without.
      try {
        history[push ? "pushState" : "replaceState"](null, "", address);
      } catch { /* The address stays as it was. */ }
    },
  };

  // Local times

  const two = (number) => String(number).padStart(2, "0");
  for (const time of document.querySelectorAll("time[datetime]")) {
    const when = new Date(time.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    time.title = `${time.textContent} UTC`;
    const day = [when.getFullYear(), two(when.getMonth() + 1), two(when.getDate())].join("-");
    time.textContent = `${day} ${two(when.getHours())}:${two(when.getMinutes())}`;
  }
  for (const zone of document.querySelectorAll(".zone")) zone.remove();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const note of document.querySelectorAll(".zone-note")) {
    note.textContent = `Times are in your time zone, ${zone}.`;
  }

  // Tables that sort

  const valueOf = (cell) => {
    const time = cell.querySelector("time[datetime]");
    if (time) return Date.parse(time.dateTime);
    const text = cell.textContent.trim();
    const units = { ms: 0.001, s: 1, min: 60, h: 3600 };
    const spans = [...text.matchAll(/([\d.,]+) (ms|s|min|h)\b/g)];
    if (spans.length) {
      return spans.reduce((sum, [, number, unit]) => sum + Number(number.replaceAll(",", "")) * units[unit], 0);
    }
    const number = /^[\d,]+/.exec(text);
    return number ? Number(number[0].replaceAll(",", "")) : text.toLowerCase();
  };
  const compareValues = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));

  const sortTable = (table, column, direction) => {
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
    keyed.sort(([a], [b]) => direction * compareValues(a, b));
    body.append(...keyed.map(([, row]) => row));
    for (const [index, head] of [...table.tHead.rows[0].cells].entries()) {
      if (index === column) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  };
  for (const [number, table] of [...document.querySelectorAll("table.list")].entries()) {
    if (!table.tHead || table.tBodies[0].rows.length < 2) continue;
    const sorted = (column) => (table.tHead.rows[0].cells[column].getAttribute("aria-sort") === "ascending" ? -1 : 1);
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = make("button", { type: "button", class: "sort" }, ...head.childNodes);
      button.addEventListener("click", () => {
        const direction = sorted(column);
        sortTable(table, column, direction);
        query.set({ [`sort${number}`]: `${direction < 0 ? "-" : ""}${column}` });
      });
      head.replaceChildren(button);
    }
    const wanted = query.get(`sort${number}`);
    const column = Math.abs(Number(wanted));
    if (wanted && column < table.tHead.rows[0].cells.length) sortTable(table, column, wanted.startsWith("-") ? -1 : 1);
  }

  // Lists that filter

  for (const place of document.querySelectorAll("[data-filter]")) {
    const list = document.getElementById(place.dataset.filter);
    const key = place.dataset.filter;
    const sought = query.get(key);
    const items = [...(list.tBodies ? list.tBodies[0].rows : list.children)];
    const input = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    const said = make("span", { class: "quiet", role: "status" });
    const kinds = (place.dataset.kinds ?? "").split(" ").filter(Boolean).map((kind) => {
      const box = make("input", { type: "checkbox", checked: true, value: kind });
      const count = items.filter((item) => item.dataset.kind === kind).length;
      return { box, label: make("label", {}, box, ` ${kind} (${count})`) };
    });
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const hidden = new Set(kinds.filter(({ box }) => !box.checked).map(({ box }) => box.value));
      let shown = 0;
      for (const item of items) {
        const text = item.textContent.toLowerCase();
        item.hidden = hidden.has(item.dataset.kind) || !words.every((word) => text.includes(word));
        shown += !item.hidden;
      }
      const count = shown === items.length ? "" : `${shown.toLocaleString("en")} of ${items.length.toLocaleString("en")}`;
      // The search leads here also for a test that the list has no room for.
      said.textContent = shown ? count : place.dataset.none ?? count;
    };
    const changed = () => {
      apply();
      query.set({ [key]: input.value, [`${key}-not`]: kinds.filter(({ box }) => !box.checked).map(({ box }) => box.value).join(" ") });
    };
    input.value = sought;
    const without = query.get(`${key}-not`).split(" ");
    for (const { box } of kinds) {
      box.checked = !without.includes(box.value);
      box.addEventListener("change", changed);
    }
    input.addEventListener("input", changed);
    place.append(make("label", {}, "Filter ", input), ...kinds.map(({ label }) => label), said);
    const folded = place.closest("details");
    if (folded && input.value) folded.open = true;
    apply();
  }

  // Search

  /** Loads a script of the index; works from a disk, where requests do not. */
  const load = (path) => new Promise((resolve, reject) => {
    const script = make("script", { src: new URL(path, root).href });
    script.addEventListener("load", () => resolve());
    script.addEventListener("error", () => reject(new Error(path)));
    document.head.append(script);
  });
  const index = { packages: [], tests: new Map() };
  window.pony = {
    /** Names and folders. */
    packages: (list) => { index.packages = list; },
    /** Id, state, page, and what it said when it failed; or a class, the number of the page that names its tests, and those. */
    tests: (folder, list, more, pages) => {
      const known = index.tests.get(folder)?.list ?? [];
      const calm = (id, page) => [id, "", `${page}?calm=${encodeURIComponent(id)}`];
      const whole = (entry) => typeof entry[1] === "number"
        ? entry[2].map((name) => calm(entry[0] + name, pages[entry[1]]))
        : [entry];
      index.tests.set(folder, { list: known.concat(list.flatMap(whole)), more });
    },
  };

  const searchPage = new URL("search/index.html", root);
  const nav = document.querySelector(".top nav");
  const results = document.getElementById("search-results");
  if (nav) {
    const input = make("input", { type: "search", name: "q", "aria-label": "Search packages, tests and failures", placeholder: "Search", autocomplete: "off", spellcheck: "false" });
    const form = make("form", { role: "search", class: "search" }, input);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (results) {
        query.set({ q: input.value }, true);
        search(input.value);
      } else {
        location.href = `${searchPage}?q=${encodeURIComponent(input.value)}`;
      }
    });
    nav.parentNode.append(form);
    if (results) {
      const show = () => {
        input.value = query.get("q");
        search(input.value);
      };
      addEventListener("popstate", show);
      show();
      input.focus();
    }
  }

  async function search(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const turn = ++latest;
    const said = make("p", { class: "quiet", role: "status" });
    const list = make("ul", { class: "look" });
    results.replaceChildren(said, list);
    if (!words.length) {
      said.textContent = "Type a part of a package, of a test, or of what it said when it failed.";
      return;
    }
    const matches = (...parts) => {
      const whole = parts.join(" ").toLowerCase();
      return words.every((word) => whole.includes(word));
    };
    let hits = 0;
    const add = (word, status, href, name, note) => {
      hits += 1;
      if (hits > HITS_MAX) return;
      const what = make("span", { class: "what" }, make("a", { class: "id", href: new URL(href, root).href }, name));
      if (note) what.append(make("span", { class: "when" }, note));
      list.append(make("li", {}, make("span", { class: `status ${status}` },
        make("span", { class: "glyph", "aria-hidden": "true" }, glyphs[status]), ` ${word}`), what));
    };
    const classes = { "newly failing": "bad", failing: "bad", flaky: "warn", fixed: "ok", passing: "ok" };
    const glyphs = { bad: "✗", warn: "≈", ok: "✓", none: "–" };
    said.textContent = "Searching…";
    try {
      if (!index.packages.length) await load("search/packages.js");
      for (const [name, folder] of index.packages) {
        if (matches(name)) add("package", "none", `p/${folder}/index.html`, name, "");
      }
      for (const [name, folder] of index.packages) {
        for (let part = 0; !index.tests.has(folder) || index.tests.get(folder).more; part += 1) {
          await load(`p/${folder}/search/${part}.js`);
        }
        if (turn !== latest) return;
        for (const [id, state, href, message] of index.tests.get(folder).list) {
          if (matches(name, id, message ?? "")) {
            add(state || "passing", classes[state] ?? "none", `p/${folder}/${href}`, id, [name, message].filter(Boolean).join(": "));
          }
        }
        if (hits > HITS_MAX) break;
      }
    } catch (error) {
      said.textContent = `The index cannot be read: ${error.message}`;
      return;
    }
    said.textContent = hits > HITS_MAX ? `The first ${HITS_MAX}; type more to see the right ones` : plural(hits, "hit");
    if (!hits) list.remove();
  }

  // Any two results side by side

  const picker = document.getElementById("compare");
  if (picker) {
    const out = document.getElementById("comparison");
    const choose = (select, key) => {
      if (key && ![...select.options].some((option) => option.value === key)) {
        select.prepend(make("option", { value: key }, `Result ${key}`));
      }
      if (key) select.value = key;
    };
    const show = () => {
      const [a, b] = [query.get("a"), query.get("b")].map((key) => (/^\d{19}$/.test(key) ? key : ""));
      choose(picker.elements.a, a || picker.elements.a.options[1]?.value);
      choose(picker.elements.b, b || picker.elements.b.options[0]?.value);
      if (a && b) compare(a, b, out);
      else out.replaceChildren();
    };
    const go = () => {
      query.set({ a: picker.elements.a.value, b: picker.elements.b.value }, true);
      show();
    };
    picker.addEventListener("submit", (event) => {
      event.preventDefault();
      go();
    });
    document.getElementById("swap").addEventListener("click", () => {
      const { a, b } = picker.elements;
      const before = a.value;
      choose(a, b.value);
      choose(b, before);
      go();
    });
    addEventListener("popstate", show);
    picker.hidden = false;
    show();
  }

  async function verdicts(key) {
    const response = await fetch(`../${key}/result.json`);
    if (!response.ok) throw new Error(`there is no result ${key}`);
    const tests = new Map();
    for (const step of (await response.json()).results_list ?? []) {
      for (const test of step.tests ?? []) {
        const known = tests.get(test.id);
        if (!known || BAD.includes(test.outcome)) {
          tests.set(test.id, { bad: BAD.includes(test.outcome), ran: RAN.includes(test.outcome), seconds: test.duration });
        }
      }
    }
    return tests;
  }

  async function compare(a, b, out) {
    out.replaceChildren(make("p", { class: "quiet" }, "Comparing…"));
    let before, after;
    try {
      [before, after] = await Promise.all([verdicts(a), verdicts(b)]);
    } catch (error) {
      const why = location.protocol === "file:"
        ? "Browsers do not let a page read other files from a disk. Serve the folder, for example with “python3 -m http.server”; or see what is on the pages of results and commits."
        : `The results cannot be read: ${error.message}`;
      out.replaceChildren(make("p", { class: "notice" }, why));
      return;
    }
    const groups = [
      ["Newly failing", "bad", "✗", []],
      ["Fixed", "ok", "✓", []],
      ["Vanished", "none", "–", []],
      ["New", "none", "–", []],
      ["Slower", "warn", "↑", []],
    ];
    const [failing, fixed, vanished, added, slower] = groups.map((group) => group[3]);
    let still = 0;
    for (const [id, now] of after) {
      const then = before.get(id);
      if (now.bad) {
        if (then?.bad) still += 1;
        else failing.push([id]);
      } else if (!then) added.push([id]);
      else if (then.bad && now.ran) fixed.push([id]);
      else if (then.ran && now.ran && now.seconds >= 2 * then.seconds && now.seconds - then.seconds >= 0.1) {
        slower.push([id, `${then.seconds.toFixed(2)} s → ${now.seconds.toFixed(2)} s`]);
      }
    }
    for (const id of before.keys()) if (!after.has(id)) vanished.push([id]);
    const shown = groups.filter(([, , , tests]) => tests.length).map(([title, status, glyph, tests]) => {
      tests.sort(([one], [other]) => one.localeCompare(other));
      const items = tests.slice(0, 1000).map(([id, note]) =>
        make("li", {}, make("span", { class: "id" }, id), ...(note ? [" ", make("span", { class: "took" }, note)] : [])));
      const mark = make("span", { class: `status ${status}` }, make("span", { class: "glyph", "aria-hidden": "true" }, glyph), ` ${title}`);
      const more = tests.length > items.length ? [make("p", {}, `And ${tests.length - items.length} more.`)] : [];
      return make("details", { class: "group", open: tests.length < 30 },
        make("summary", {}, mark, " ", make("span", { class: "count" }, tests.length.toLocaleString("en"))),
        make("ul", { class: "brief" }, ...items), ...more);
    });
    const same = shown.length ? [] : [make("p", { class: "calm" }, "No test changed.")];
    const links = make("p", { class: "actions" },
      make("a", { href: `../${a}/index.html` }, "The result before"), " ", make("a", { href: `../${b}/index.html` }, "The result after"));
    const rest = still ? [make("p", { class: "quiet" }, `${plural(still, "test")} failed in both.`)] : [];
    out.replaceChildren(links, ...same, ...shown, ...rest);
  }
})();
