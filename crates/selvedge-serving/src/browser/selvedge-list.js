// <selvedge-list customer="…"> shows a list with its reasons on a shop's page, and tells the server what was really seen and
// clicked.  Without the server it shows nothing, and breaks nothing.
//
//   customer      whose list; left out, it is a visitor's, of what is popular
//   server        where the server is; left out, where this file came from
//   n, category   how many articles, of which kinds
//   heading       what stands above the list ["For you"]
//   link          an article's page: /shop/{product_id}?season={season}
//   token         a key, for pages that only people of the shop see; a shop's own pages ask through the shop's server
//
// Its events, which bubble: `selvedge-list` (the answer), `selvedge-click` (the article; `preventDefault()` keeps the page),
// `selvedge-error` (why there is no list).  Style it by ::part(list), ::part(item), ::part(name), ::part(reason), ::part(price).
(() => {
  if (customElements.get("selvedge-list")) return;
  const home = document.currentScript ? new URL(".", document.currentScript.src).href : new URL(".", location.href).href;
  // An article counts as seen once half of it has been on the screen for a second.
  const HALF = 0.5, SEEN = 1000, GATHER = 400, TIMEOUT = 5000;
  const STYLE = `
    :host { display: block; container-type: inline-size; --ink: #1f1d1a; --soft: #625d56; --card: #fff; --line: #ded8cf; --mark: #0b5d4b;
      color: var(--ink); font: inherit; line-height: 1.4 }
    @media (prefers-color-scheme: dark) { :host { --ink: #f1eee9; --soft: #b5afa6; --card: #23211f; --line: #423e39; --mark: #7fd6bf } }
    :host([hidden]), :host(:not([ready])) { display: none }
    h2 { font-size: 1.15em; margin: 0 0 .6em }
    ol { list-style: none; margin: 0; padding: 0; display: grid; gap: .75em; grid-template-columns: 1fr }
    @container (min-width: 30rem) { ol { grid-template-columns: repeat(2, 1fr) } }
    @container (min-width: 52rem) { ol { grid-template-columns: repeat(4, 1fr) } }
    li { display: grid }
    a { display: grid; gap: .15em; align-content: start; padding: .8em .9em; border: 1px solid var(--line); border-radius: .6em; background: var(--card);
      color: inherit; text-decoration: none; min-height: 44px }
    a:hover { border-color: var(--mark) }
    a:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px }
    .name { font-weight: 600; overflow-wrap: anywhere }
    .maker, .reason { color: var(--soft); font-size: .9em }
    .reason { margin-top: .3em }
    .reason::before { content: "✦ "; color: var(--mark) }
    .price { font-variant-numeric: tabular-nums }`;

  class SelvedgeList extends HTMLElement {
    static observedAttributes = ["customer", "server", "n", "category"];
    #timer = 0; #asked = 0; #answer = null; #waiting = []; #observer = null; #seen = new Map(); #told = new Set();

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.innerHTML = `<style>${STYLE}</style><section part="box" aria-labelledby="heading"><h2 id="heading" part="heading"></h2><ol part="list"></ol></section>`;
    }

    connectedCallback() { this.#later(); addEventListener("pagehide", this.#send); }
    disconnectedCallback() { removeEventListener("pagehide", this.#send); this.#observer?.disconnect(); this.#forget(); this.#send(); }
    attributeChangedCallback() { if (this.isConnected) this.#later(); }

    /** Asks again; what has changed since is shown. */
    refresh() { return this.#load(); }

    /** The answer that is shown. */
    get answer() { return this.#answer; }

    get #server() { return new URL(this.getAttribute("server") ?? home, location.href).href.replace(/\/?$/, "/"); }

    #later() { clearTimeout(this.#timer); this.#timer = setTimeout(() => this.#load()); }

    #headers(more = {}) { const token = this.getAttribute("token"); return token ? { ...more, authorization: `Bearer ${token}` } : more; }

    async #load() {
      clearTimeout(this.#timer);
      const asked = ++this.#asked, customer = this.getAttribute("customer"), wish = {};
      for (const name of ["n", "category"]) if (this.getAttribute(name)) wish[name] = this.getAttribute(name);
      try {
        const signal = AbortSignal.timeout ? AbortSignal.timeout(TIMEOUT) : undefined;
        const response = customer
          ? await fetch(`${this.#server}recommend/${encodeURIComponent(customer)}?${new URLSearchParams(wish)}`, { headers: this.#headers(), signal })
          : await fetch(`${this.#server}recommend`, { method: "POST", headers: this.#headers({ "content-type": "application/json" }), signal,
              body: JSON.stringify({ ...wish, ...(wish.n ? { n: Number(wish.n) } : {}) }) });
        const answer = await response.json();
        if (!response.ok) throw new Error(answer.error ?? `the server answered ${response.status}`);
        // Whoever asked later has a newer answer.
        if (asked === this.#asked) this.#show(answer);
      } catch (error) {
        if (asked === this.#asked) this.#nothing(error);
      }
    }

    #nothing(error) {
      this.#answer = null;
      this.removeAttribute("ready");
      this.shadowRoot.querySelector("ol").replaceChildren();
      this.dispatchEvent(new CustomEvent("selvedge-error", { bubbles: true, composed: true, detail: { error } }));
    }

    #show(answer) {
      this.#answer = answer;
      this.#observer?.disconnect();
      this.#forget();
      const root = this.shadowRoot, items = (answer.articles ?? []).map((article) => this.#item(article));
      root.querySelector("h2").textContent = this.getAttribute("heading") ?? "For you";
      root.querySelector("ol").replaceChildren(...items);
      this.toggleAttribute("ready", items.length > 0);
      if (typeof IntersectionObserver === "function") {
        this.#observer = new IntersectionObserver((entries) => this.#looked(entries), { threshold: HALF });
        items.forEach((item) => this.#observer.observe(item));
      }
      this.dispatchEvent(new CustomEvent("selvedge-list", { bubbles: true, composed: true, detail: answer }));
    }

    #item(article) {
      const item = document.createElement("li"), link = document.createElement("a");
      item.part = "item";
      item.article = article;
      const path = this.getAttribute("link") ?? "#{product_id}";
      link.href = path.replace(/\{(product_id|season)\}/g, (_, name) => encodeURIComponent(article[name]));
      const line = (name, text) => {
        if (!text) return;
        const part = document.createElement("span");
        part.className = name;
        part.part = name;
        part.textContent = text;
        link.append(part);
      };
      line("name", article.product_name ?? `${article.brand ?? "Article"} ${article.product_id}`);
      line("maker", [article.brand, article.category].filter(Boolean).join(" · "));
      line("price", article.price ? new Intl.NumberFormat(document.documentElement.lang || undefined, { style: "currency", currency: this.getAttribute("currency") ?? "EUR" }).format(Number(article.price)) : "");
      line("reason", article.reason ? article.reason[0].toUpperCase() + article.reason.slice(1) : "");
      link.addEventListener("click", (event) => {
        this.#tell(article, "shown");
        this.#tell(article, "clicked");
        this.#send();
        const click = new CustomEvent("selvedge-click", { bubbles: true, composed: true, cancelable: true, detail: article });
        if (!this.dispatchEvent(click)) event.preventDefault();
      });
      item.append(link);
      return item;
    }

    #looked(entries) {
      for (const { target, isIntersecting, intersectionRatio } of entries) {
        if (isIntersecting && intersectionRatio >= HALF) {
          if (!this.#seen.has(target)) this.#seen.set(target, setTimeout(() => { this.#observer?.unobserve(target); this.#tell(target.article, "shown"); }, SEEN));
        } else {
          clearTimeout(this.#seen.get(target));
          this.#seen.delete(target);
        }
      }
    }

    #forget() { this.#seen.forEach(clearTimeout); this.#seen.clear(); }

    // The id is the same however often it is told: the server counts it once.
    #tell(article, kind) {
      const answer = this.#answer;
      if (!answer?.customer_id) return;
      const id = `${answer.request}/${article.place}/${kind}`;
      if (this.#told.has(id)) return;
      this.#told.add(id);
      this.#waiting.push({ id, customer_id: answer.customer_id, product_id: article.product_id, season: article.season, kind, request: answer.request });
      if (this.#waiting.length === 1) setTimeout(this.#send, GATHER);
    }

    #send = () => {
      if (!this.#waiting.length) return;
      const body = JSON.stringify(this.#waiting.splice(0));
      // Goes on when the page is left; where it cannot be sent, nothing is lost but a count.
      fetch(`${this.#server}events`, { method: "POST", keepalive: true, headers: this.#headers({ "content-type": "application/json" }), body }).catch(() => {});
    };
  }
  customElements.define("selvedge-list", SelvedgeList);
})();
