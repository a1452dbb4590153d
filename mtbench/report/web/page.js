"use strict";
// The page is complete without this script. It adds sorting, filters, comparison of two methods, the runs behind a
// number, and copies of a table as it is shown.
(() => {
  // Statistics, as mtbench.stats has them.

  function logGamma(x) {
    const terms = [676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
      -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7];
    if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
    let sum = 0.99999999999980993;
    terms.forEach((term, index) => { sum += term / (x + index); });
    const t = x + 6.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
  }

  // The regularized incomplete beta function, by Lentz's continued fraction.
  function beta(x, a, b) {
    if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - beta(1 - x, b, a);
    const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
    const away = (value) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
    let c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), result = d;
    for (let m = 1; m < 500; m += 1) {
      let term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / away(1 + term * d); c = away(1 + term / c); result *= d * c;
      term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / away(1 + term * d); c = away(1 + term / c);
      result *= d * c;
      if (Math.abs(d * c - 1) < 1e-15) break;
    }
    return front * result;
  }

  const twoSided = (t, freedom) => beta(freedom / (freedom + t * t), freedom / 2, 0.5);

  function quantile(level, freedom) { // t with P(|T| > t) = 1 - level
    let low = 0, high = 1;
    while (twoSided(high, freedom) > 1 - level) high *= 2;
    for (let step = 0; step < 200 && high - low > 1e-15 * high; step += 1) {
      const middle = (low + high) / 2;
      if (twoSided(middle, freedom) > 1 - level) low = middle; else high = middle;
    }
    return (low + high) / 2;
  }

  // The difference first minus second over the seeds that both have; p is NaN where it cannot be tested.
  function paired(first, second) {
    const seeds = [...first.keys()].filter((seed) => second.has(seed));
    const gaps = seeds.map((seed) => first.get(seed) - second.get(seed));
    const n = gaps.length, difference = n ? gaps.reduce((sum, gap) => sum + gap, 0) / n : NaN;
    const result = { n, difference, p: NaN, low: NaN, high: NaN, least: n ? 2 / 2 ** n : NaN };
    if (n < 2) return result;
    const scale = Math.max(...seeds.flatMap((seed) => [Math.abs(first.get(seed)), Math.abs(second.get(seed))]));
    const std = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - difference) ** 2, 0) / (n - 1));
    if (!(std > 1e-12 * scale)) return result;
    const error = std / Math.sqrt(n), half = quantile(0.95, n - 1) * error;
    return { ...result, p: twoSided(difference / error, n - 1), low: difference - half, high: difference + half };
  }

  function holm(ps) {
    const order = ps.map((p, index) => index).filter((index) => !Number.isNaN(ps[index])).sort((a, b) => ps[a] - ps[b]);
    const adjusted = ps.map(() => NaN);
    let least = 0;
    order.forEach((index, place) => {
      least = Math.max(least, ps[index] * (order.length - place));
      adjusted[index] = Math.min(1, least);
    });
    return adjusted;
  }

  function verdict(contrast, adjusted, better) {
    if (!(adjusted < 0.05) || (contrast.low <= 0 && 0 <= contrast.high)) return "undecided";
    return (contrast.low > 0) === (better === "higher") ? "better" : "worse";
  }

  // Reading the page.

  const DASH = "\u2013";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...inside) => {
    const made = document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    made.append(...inside);
    return made;
  };
  const button = (words, act) => {
    const made = make("button", { type: "button" }, words);
    made.addEventListener("click", act);
    return made;
  };
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function says(cell) { // the words of a cell, without what the page has added to them
    if (cell.dataset.says === undefined) {
      const words = [...cell.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE || /^[AB]$/.test(node.nodeName));
      cell.dataset.says = words.map((node) => node.textContent).join("").trim();
    }
    return cell.dataset.says;
  }

  function number(text) { // the first number of a text: 1.2 of "1.2 \u00b1 0.1", 3600000 of "3.6M"; NaN without one
    const found = /^[<\u00d7\s]*([-+\u2212]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s?(k|MB|GB|M|G)?/i.exec(text);
    const sizes = { k: 1e3, M: 1e6, MB: 1e6, G: 1e9, GB: 1e9 };
    return found ? Number(found[1].replace("\u2212", "-")) * (sizes[found[2]] ?? 1) : NaN;
  }

  class Table {
    constructor(place) {
      this.id = place.id;
      this.place = place;
      this.main = place.querySelector("table.main");
      this.body = this.main.tBodies[0];
      this.rows = [...this.body.rows];
      this.heads = [...this.main.tHead.rows[0].cells];
      this.title = this.main.caption.textContent;
      this.runs = new Map(all("tbody[data-method]", place).map((group) => [group.dataset.method, group]));
    }

    row(method) { return this.rows.find((row) => row.dataset.method === method); }

    // Lines of the list of runs that have a number in a column, as {seed, run, state, value, text}.
    lines(method, head) {
      const group = this.runs.get(method), at = head.dataset.runs;
      if (!group || at === undefined) return [];
      return all("tr.run", group).map((row) => {
        const [seed, run, state, , ...values] = [...row.cells].map((cell) => cell.textContent);
        return { seed: Number(seed), run, state, text: values[at] ?? "", value: Number(values[at]) };
      }).filter((line) => line.text);
    }

    seeds(method, head) { return new Map(this.lines(method, head).map((line) => [line.seed, line.value])); }

    key(row, column) {
      const head = this.heads[column], seeds = row.dataset.method === undefined ? [] : this.lines(row.dataset.method, head);
      if (seeds.length && says(row.cells[column]) !== DASH) return mean(seeds.map((line) => line.value));
      return number(says(row.cells[column]));
    }
  }

  const tables = new Map(all(".table").map((place) => [place.id, new Table(place)]));
  const sections = all("section[data-dataset]");
  const tasks = [...new Set(all("th[data-task]").map((head) => head.dataset.task))];

  // The state of the page, which the fragment of its address holds.

  const state = { q: "", dataset: "", protocol: "", complete: "", hidden: new Set(), sorts: new Map(), chosen: new Map() };
  const live = make("p", { class: "live", role: "status" });

  function written() {
    const words = new URLSearchParams();
    for (const name of ["q", "dataset", "protocol", "complete"]) if (state[name]) words.set(name, state[name]);
    state.hidden.forEach((task) => words.append("without", task));
    state.sorts.forEach(([column, way], id) => words.append("sort", `${id} ${column} ${way}`));
    state.chosen.forEach((methods, id) => methods.forEach((method) => words.append("chosen", `${id} ${method}`)));
    return words.toString();
  }

  function keep() {
    const words = written();
    if (words || location.hash.startsWith("#?")) history.replaceState(null, "", words ? `#?${words}` : "#");
  }

  function restore() {
    if (!location.hash.startsWith("#?")) return;
    const words = new URLSearchParams(location.hash.slice(2));
    for (const name of ["q", "dataset", "protocol", "complete"]) state[name] = words.get(name) ?? "";
    state.hidden = new Set(words.getAll("without").filter((task) => tasks.includes(task)));
    state.sorts = new Map();
    for (const [id, column, way] of words.getAll("sort").map((text) => text.split(" "))) {
      if (tables.get(id)?.heads[column]) state.sorts.set(id, [Number(column), way === "ascending" ? way : "descending"]);
    }
    state.chosen = new Map();
    for (const text of words.getAll("chosen")) {
      const id = text.split(" ", 1)[0], method = text.slice(id.length + 1);
      const before = state.chosen.get(id) ?? [];
      if (tables.get(id)?.row(method) && before.length < 2) state.chosen.set(id, [...before, method]);
    }
  }

  // Sorting.

  function sort(table, column, way) {
    const keys = new Map(table.rows.map((row) => [row, table.key(row, column)]));
    const texts = new Map(table.rows.map((row) => [row, says(row.cells[column])]));
    const numeric = column > 0 && table.rows.every((row) => texts.get(row) === DASH || !Number.isNaN(keys.get(row)));
    const sign = way === "ascending" ? 1 : -1;
    const compare = (a, b) => {
      if (!numeric) return sign * texts.get(a).localeCompare(texts.get(b), "en", { numeric: true });
      const [x, y] = [keys.get(a), keys.get(b)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y); // without a number: last
      return sign * (x - y);
    };
    table.body.append(...[...table.rows].sort(compare)); // stable: ties stay in the order of the report
    table.heads.forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", way); else head.removeAttribute("aria-sort");
    });
  }

  function onSort(table, column) {
    const [before, way] = state.sorts.get(table.id) ?? [];
    const first = column === 0 || table.heads[column].dataset.better === "lower" ? "ascending" : "descending";
    const next = before !== column ? first : way === "ascending" ? "descending" : "ascending";
    state.sorts.set(table.id, [column, next]);
    sort(table, column, next);
    live.textContent = `${table.title}: sorted by ${says(table.heads[column])}, ${next}; ties in the order of the report.`;
    keep();
  }

  // Filters.

  function show() {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, there = 0;
    for (const section of sections) {
      const { dataset, protocol } = section.dataset;
      section.hidden = Boolean((state.dataset && dataset && dataset !== state.dataset)
        || (state.protocol && protocol && protocol !== state.protocol));
    }
    for (const table of tables.values()) {
      const gone = table.heads.map((head) => state.hidden.has(head.dataset.task));
      for (const row of table.main.rows) gone.forEach((out, column) => { row.cells[column].hidden = out; });
      for (const row of table.rows) {
        const name = says(row.cells[0]).toLowerCase(), complete = row.dataset.complete ?? "";
        row.hidden = !words.every((word) => name.includes(word)) || Boolean(state.complete && complete && complete !== state.complete);
        there += 1;
        shown += row.hidden || table.place.closest("[hidden]") ? 0 : 1;
      }
    }
    return shown === there ? "" : `${shown} of ${there} rows are shown.`;
  }

  function filtered() {
    live.textContent = show() || "All rows are shown.";
    keep();
  }

  function select(name, label, options) {
    const box = make("select", {}, ...options.map(([value, words]) => make("option", { value }, words)));
    box.value = state[name];
    box.addEventListener("change", () => { state[name] = box.value; filtered(); });
    return make("label", {}, `${label} `, box);
  }

  function controls() {
    const bar = make("form", { class: "controls", role: "search", "aria-label": "Rows and columns that are shown" });
    bar.addEventListener("submit", (event) => event.preventDefault());
    const query = make("input", { type: "search", autocomplete: "off", spellcheck: "false" });
    query.value = state.q;
    query.addEventListener("input", () => { state.q = query.value; filtered(); });
    bar.append(make("label", {}, "Rows with ", query));
    for (const name of ["dataset", "protocol"]) {
      const values = [...new Set(sections.map((section) => section.dataset[name]))].filter(Boolean);
      if (values.length > 1) bar.append(select(name, name, [["", "all"], ...values.map((value) => [value, value])]));
    }
    if (all("tr[data-complete=no]").length) {
      bar.append(select("complete", "runs", [["", "all"], ["yes", "complete and fresh"], ["no", "missing or stale"]]));
    }
    if (tasks.length > 1) {
      const boxes = tasks.map((task) => {
        const box = make("input", { type: "checkbox" });
        box.checked = !state.hidden.has(task);
        box.addEventListener("change", () => { state.hidden[box.checked ? "delete" : "add"](task); filtered(); });
        return make("label", {}, box, ` ${task}`);
      });
      const group = make("fieldset", {}, make("legend", {}, "tasks"), ...boxes);
      bar.append(tasks.length > 8 ? make("details", {}, make("summary", {}, "Tasks"), group) : group);
    }
    return bar;
  }

  // Two methods.

  const digits = (contrast) => {
    const half = (contrast.high - contrast.low) / 2;
    return half > 0 ? Math.min(Math.max(0, 1 - Math.floor(Math.log10(half))), 9) : 2;
  };
  const signed = (value, places) => (value < 0 && Number(value.toFixed(places)) !== 0 ? "" : "+") + (Number(value.toFixed(places)) === 0 ? 0 : value).toFixed(places);
  const chance = (p) => (Number.isNaN(p) ? DASH : p < 1e-4 ? "< 0.0001" : String(Number(p.toPrecision(2))));

  function contrasts(table, first, second) {
    const columns = table.heads.filter((head) => head.dataset.runs !== undefined && !head.hidden);
    const found = columns.map((head) => paired(table.seeds(first, head), table.seeds(second, head)));
    const adjusted = holm(found.map((contrast) => contrast.p));
    return columns.map((head, index) => ({
      head, contrast: found[index], adjusted: adjusted[index], word: verdict(found[index], adjusted[index], head.dataset.better),
    }));
  }

  function cost(table, first, second) { // sentences on the cost of two methods, and the cheaper one
    const names = { seconds: "training time", labels: "used labels", macs: "multiply-accumulates to answer", memory: "memory", parameters: "parameters" };
    const spent = [first, second].map((method) => table.runs.get(method).dataset);
    const ratios = Object.entries(names).map(([name, words]) => [words, Number(spent[0][name]) / Number(spent[1][name])])
      .filter(([, ratio]) => Number.isFinite(ratio));
    const main = ratios.find(([, ratio]) => ratio.toFixed(2) !== "1.00");
    return {
      words: ratios.map(([words, ratio]) => `${words} \u00d7${ratio.toFixed(2)}`).join(", "),
      cheaper: main ? `the cheaper is ${main[1] < 1 ? first : second} (${main[0]} \u00d7${Math.min(main[1], 1 / main[1]).toFixed(2)})` : "neither is cheaper",
    };
  }

  function compare(table) {
    table.place.querySelector(".pair")?.remove();
    const chosen = state.chosen.get(table.id) ?? [];
    table.rows.forEach((row) => {
      const box = row.querySelector("input");
      if (box) box.checked = chosen.includes(row.dataset.method);
      row.classList.toggle("chosen", Boolean(box?.checked));
    });
    if (chosen.length < 2) return "";
    const [first, second] = chosen, found = contrasts(table, first, second), spent = cost(table, first, second);
    const total = found.filter(({ head }) => !head.dataset.task)[0];
    const where = total ? ` in ${says(total.head)}` : "";
    const tested = total ? !Number.isNaN(total.contrast.p) : found.some(({ contrast }) => !Number.isNaN(contrast.p));
    const tied = total ? total.word === "undecided" : found.every(({ word }) => word === "undecided");
    const conclusion = !tested ? `Their difference${where} cannot be tested: ${spent.cheaper}.`
      : tied ? `Tied${where}: ${spent.cheaper}.`
        : total ? `${first} is ${total.word} than ${second}${where}.` : "They differ in some columns.";
    const heads = ["number", `${first} minus ${second}`, "95 % interval", "n", "p", "p, Holm", "least p of sign flips", "verdict"];
    const lines = found.map(({ head, contrast, adjusted, word }) => {
      const places = digits(contrast), unit = head.dataset.unit ? ` ${head.dataset.unit}` : "";
      const interval = Number.isNaN(contrast.low) ? DASH : `${signed(contrast.low, places)} to ${signed(contrast.high, places)}`;
      const cells = [contrast.n ? signed(contrast.difference, places) + unit : DASH, interval, contrast.n, chance(contrast.p),
        chance(adjusted), contrast.n ? String(Number(contrast.least.toPrecision(3))) : DASH, word];
      return make("tr", {}, make("th", { scope: "row" }, says(head)), ...cells.map((words) => make("td", {}, String(words))));
    });
    const panel = make("section", { class: "pair", "aria-label": `${first} against ${second}` },
      make("h3", {}, `${first} against ${second}`), make("p", {}, make("b", {}, conclusion)),
      make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Differences" }, make("table", {},
        make("thead", {}, make("tr", {}, ...heads.map((words) => make("th", { scope: "col" }, words)))), make("tbody", {}, ...lines))),
      make("p", { class: "caption" }, `Cost of ${first} relative to ${second}: ${spent.words || "unknown"}. Paired t-test over common seeds; `
        + `Holm's correction over the ${found.length} columns that are shown, not over the pairs that could have been selected.`),
      button("Close", () => { state.chosen.delete(table.id); compare(table); keep(); }));
    table.main.closest(".scroll").after(panel);
    return `${first} against ${second}. ${conclusion}`;
  }

  function choose(table, method, on) {
    const others = (state.chosen.get(table.id) ?? []).filter((other) => other !== method);
    const chosen = on ? [...others.slice(-1), method] : others;
    if (chosen.length) state.chosen.set(table.id, chosen); else state.chosen.delete(table.id);
    live.textContent = compare(table) || (on ? `${method} is selected. Select a second row to compare.` : "");
    keep();
  }

  // A number and its runs.

  function dialog(label, ...inside) {
    const box = make("dialog", { "aria-label": label });
    const close = button("Close", () => box.close());
    box.append(make("h3", {}, label), ...inside, close);
    box.addEventListener("close", () => box.remove());
    document.body.append(box);
    box.showModal();
    return box;
  }

  function open(table, row, column) {
    const head = table.heads[column], method = row.dataset.method, group = table.runs.get(method);
    const lines = table.lines(method, head).map(({ seed, run, state: its, text }) => make("tr", {},
      ...[seed, text, run, its].map((words) => make("td", {}, String(words)))));
    const used = new Set(all("tr.run", group).map((line) => line.cells[3].textContent));
    const machines = all(".machine", table.place).filter((machine, index) => used.has(String(index + 1)));
    const how = group.querySelector(".how td").cloneNode(true);
    dialog(`${method}, ${says(head)}: ${says(row.cells[column])}`,
      make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Seeds" }, make("table", {},
        make("thead", {}, make("tr", {}, ...["seed", head.dataset.unit ? `value (${head.dataset.unit})` : "value", "run", "state"].map((words) => make("th", { scope: "col" }, words)))),
        make("tbody", {}, ...lines))),
      ...(row.cells[column].dataset.macro ? [make("p", {}, "In LaTeX, after numbers.tex: ", make("code", {}, `\\mtb${row.cells[column].dataset.macro}`))] : []),
      make("p", { class: "how" }, ...how.childNodes),
      ...machines.map((machine) => make("p", { class: "caption" }, ...machine.cloneNode(true).childNodes)));
  }

  const tip = make("div", { class: "tip", hidden: "" });

  function point(table, strip) {
    const cell = strip.closest("td"), row = cell.parentElement, head = table.heads[cell.cellIndex];
    strip.removeAttribute("aria-hidden");
    strip.setAttribute("role", "group");
    strip.setAttribute("tabindex", "0");
    strip.setAttribute("aria-label", `Seeds of ${row.dataset.method}, ${says(head)}`);
    const words = ({ seed, text, run }) => `seed ${seed}: ${text}, run ${run}`;
    const label = () => table.lines(row.dataset.method, head).map((line, index) => {
      const dot = strip.children[index];
      dot.setAttribute("role", "img");
      dot.setAttribute("tabindex", "-1");
      dot.setAttribute("aria-label", words(line));
      return words(line);
    });
    const say = (text, at) => {
      const box = at.getBoundingClientRect();
      tip.textContent = text;
      tip.hidden = false;
      tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${box.bottom + 6 + tip.offsetHeight > innerHeight ? box.top - 6 - tip.offsetHeight : box.bottom + 6}px`;
    };
    const shown = (event) => {
      const list = label(), index = [...strip.children].indexOf(event.target);
      say(index < 0 ? list.join("\n") : list[index], strip);
    };
    strip.addEventListener("focusin", shown);
    strip.addEventListener("pointerover", shown);
    strip.addEventListener("focusout", () => { tip.hidden = true; });
    strip.addEventListener("pointerleave", () => { tip.hidden = true; });
    strip.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      label();
      const dots = [...strip.children], at = dots.indexOf(document.activeElement);
      dots[(at + step + dots.length + (at < 0 && step < 0 ? 1 : 0)) % dots.length].focus();
    });
  }

  // Copies of a table as it is shown.

  function grid(table) {
    const shown = [table.main.tHead.rows[0], ...table.body.rows, ...(table.main.tFoot?.rows ?? [])].filter((row) => !row.hidden);
    return shown.map((row) => [...row.cells].filter((cell) => !cell.hidden).map((cell) => ({
      says: says(cell), macro: cell.dataset.macro, bold: cell.classList.contains("best") || Boolean(cell.querySelector("b")),
    })));
  }

  function latex(text) {
    const known = JSON.parse(document.getElementById("latex").textContent);
    const signs = text.split(/\s+/).join(" ").replace(/(^|[\s(])-(?=\.?\d)/g, "$1\u2212");
    const letter = (sign) => {
      if (known[sign]) return known[sign];
      if ((sign >= " " && sign <= "~") || (sign >= "\u00c0" && sign <= "\u00ff" && !"\u00d0\u00de\u00f0\u00fe\u00f7".includes(sign))) return sign;
      return `{[}U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}{]}`;
    };
    return [...signs].map(letter).join("").replace(/-(?=-)/g, "-{}");
  }

  const markdown = (text) => text.split(/\s+/).join(" ").replace(/([\\`*_{}[\]<>|~$&#])/g, "\\$1");
  const csv = (text) => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const MACROS = "LaTeX with macros";
  const tabular = (rows, macros) => {
    const cell = ({ says: words, macro, bold }) => {
      const said = macros && macro ? `\\mtbcell${macro}` : latex(words).replaceAll(" $\\pm$ ", "\\,$\\pm$\\,");
      return bold ? `{\\boldmath\\bfseries ${said}}` : said;
    };
    const [head, ...lines] = rows.map((row) => `${row.map(cell).join(" & ")} \\\\`);
    return [`% Made by mtbench report. Needs \\usepackage{booktabs}${macros ? " and \\input{numbers}" : ""}.`, `\\begin{tabular}{l*{${rows[0].length - 1}}{r}}`, "\\toprule", head, "\\midrule",
      ...lines, "\\bottomrule", "\\end{tabular}", ""].join("\n");
  };
  const writers = {
    LaTeX: (rows) => tabular(rows, false),
    [MACROS]: (rows) => tabular(rows, true),
    Markdown: (rows) => {
      const line = (cells) => `| ${cells.join(" | ")} |`;
      const [head, ...lines] = rows.map((row) => line(row.map(({ says: words, bold }) => (bold ? `**${markdown(words)}**` : markdown(words)))));
      return [head, line(["---", ...rows[0].slice(1).map(() => "---:")]), ...lines, ""].join("\n");
    },
    CSV: (rows) => rows.map((row) => row.map(({ says: words }) => csv(words)).join(",")).join("\n") + "\n",
  };

  async function copy(table, kind) {
    const text = writers[kind](grid(table));
    const area = make("textarea", { readonly: "", rows: "16", "aria-label": `The table as ${kind}` });
    area.value = text;
    const done = make("p", { role: "status" });
    dialog(`${table.title} as ${kind}`, area, done);
    area.select();
    try {
      await navigator.clipboard.writeText(text);
      done.textContent = "Copied.";
    } catch {
      done.textContent = "The browser does not let the page copy: press Ctrl+C.";
    }
  }

  // Everything put together.

  function enhance(table) {
    table.heads.forEach((head, column) => {
      const words = says(head);
      head.replaceChildren(button(words, () => onSort(table, column)));
    });
    for (const row of table.rows) {
      says(row.cells[0]);
      if (!table.runs.has(row.dataset.method)) continue;
      const box = make("input", { type: "checkbox", "aria-label": `Compare ${row.dataset.method}`, title: "Select two rows to compare" });
      box.addEventListener("change", () => choose(table, row.dataset.method, box.checked));
      row.cells[0].classList.add("selects");
      row.cells[0].prepend(box, " ");
    }
    table.body.addEventListener("click", (event) => {
      const link = event.target.closest("td a"), cell = link?.parentElement;
      if (!link) return;
      event.preventDefault();
      open(table, cell.parentElement, cell.cellIndex);
    });
    all("svg.dots", table.body).forEach((strip) => point(table, strip));
    const kinds = Object.keys(writers).filter((kind) => kind !== MACROS || table.body.querySelector("td[data-macro]"));
    const copies = kinds.map((kind) => button(kind, () => copy(table, kind)));
    table.main.closest(".scroll").after(make("p", { class: "copies" }, "Copy what is shown: ", ...copies));
  }

  function apply() {
    restore();
    document.querySelector(".controls")?.remove();
    document.getElementById("main").prepend(controls());
    state.sorts.forEach(([column, way], id) => sort(tables.get(id), column, way));
    show();
    tables.forEach((table) => compare(table));
  }

  tables.forEach(enhance);
  apply();
  document.body.append(live, tip);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
  addEventListener("hashchange", apply);
  window.mtbench = { paired, holm, verdict, twoSided, quantile, latex, markdown, number };
})();
