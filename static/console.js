/* What a page does by itself beside htmx: it works without any of this. */
(() => {
  "use strict";
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  /* Clocks: what the server said once goes on being true. */
  const starts = [0, 5, 60, 3600, 86400, 172800], units = [1, 1, 60, 3600, 86400, 86400];
  const relative = (at) => {
    const passed = (Date.now() - at) / 1000, whole = Math.abs(Math.round(passed));
    const step = starts.findLastIndex((start) => whole >= start);
    return root.dataset.clock.split("|")[step + (passed < 0 ? 6 : 0)].replace("{}", Math.floor(whole / units[step]));
  };
  const tick = () => {
    all("time[data-ago]").forEach((time) => {
      const text = relative(Date.parse(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    });
    tellLive();
  };

  /* The stream: how fresh it is; while it is lost, the page is fetched now and then. A server that does not answer is told. */
  let heard = Date.now(), streamLost = 0, serverLost = 0, polled = 0;
  const tellLive = () => {
    const live = one("#live"), label = one("#live-words"), now = Date.now();
    const isLive = live && label && live.hasAttribute("hx-sse:connect"), lost = streamLost || serverLost;
    if (one("#offline")) one("#offline").hidden = !serverLost;
    if (isLive) {
      label.textContent = (lost ? live.dataset.lost : live.dataset.live).replace("{}", relative(heard));
      one(".dot", live).className = lost ? "dot warn" : "dot";
      one("#main").classList.toggle("stale", Boolean(lost && now - heard > 30000));
    }
    if (serverLost && now - polled > 3000) reach().then((isThere) => isThere && isLive && poll());
    else if (isLive && streamLost && now - streamLost > 10000 && now - polled > 10000) poll();
  };
  const poll = () => {
    polled = Date.now();
    if (document.hidden || navigator.connection?.saveData) return;
    htmx.ajax("GET", location.href, { target: "#main", select: "#main", swap: "outerMorph" }).then(() => { heard = Date.now(); }, () => {});
  };
  const reach = async () => {
    polled = Date.now();
    const isThere = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(5000) }).then((got) => got.ok, () => false);
    serverLost = isThere ? 0 : serverLost || Date.now();
    tellLive();
    return isThere;
  };
  const miss = () => { polled = Date.now(); serverLost = serverLost || polled; tellLive(); };
  const lose = () => { streamLost = streamLost || Date.now(); };
  const back = () => { heard = Date.now(); streamLost = serverLost = 0; };
  document.addEventListener("htmx:sse:after:connection", back);
  document.addEventListener("htmx:sse:after:message", (event) => { if (event.detail?.message?.event !== "bye") back(); });
  document.addEventListener("htmx:sse:error", lose);
  document.addEventListener("bye", lose);
  let renewed = false; // who looks may do more, or less, than this page shows; what is being typed is not taken away
  const isTyped = (field) => !["hidden", "search", "checkbox", "radio"].includes(field.type) && field.value !== field.defaultValue;
  document.addEventListener("role", () => {
    if (!renewed) (renewed = true, all("#main :is(textarea, input)").some(isTyped) ? poll() : location.reload());
  });
  document.addEventListener("htmx:response:error", (event) => { if (event.target.id === "live") lose(); });
  document.addEventListener("htmx:error", (event) => { if (event.detail?.ctx && !event.detail.ctx.response) miss(); });
  document.addEventListener("htmx:before:response", () => { serverLost = 0; });
  window.addEventListener("offline", miss);
  window.addEventListener("online", () => reach().then((isThere) => isThere && streamLost && poll()));

  /* Forms: what is being sent is not sent twice, and nothing is sent where nobody would take it. */
  const sending = new WeakSet(), tried = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.getAttribute("method") !== "post") return;
    const hold = () => { event.preventDefault(); event.stopPropagation(); };
    const free = () => { sending.delete(form); button?.removeAttribute("aria-busy"); };
    if (tried.delete(form)) { setTimeout(free, 4000); return; } // a file may come, and the page stay
    if (sending.has(form)) { hold(); return; }
    sending.add(form);
    setTimeout(() => { if (sending.has(form)) button?.setAttribute("aria-busy", "true"); }, 150);
    if (form.hasAttribute("hx-boost")) { form.addEventListener("htmx:finally:request", free, { once: true }); return; }
    if (!one("#offline")) { setTimeout(free, 4000); return; }
    hold();
    reach().then((isThere) => {
      if (!isThere) { free(); return; }
      tried.add(form);
      form.requestSubmit(button);
      tried.delete(form);
    });
  }, true);

  /* Messages go away by themselves. */
  const settle = () => {
    requestAnimationFrame(() => all(":is(.facets, .sn) [aria-current]").forEach((chosen) => {
      const row = chosen.parentElement; // on a phone it may begin beyond the edge
      if (row.scrollWidth > row.clientWidth) row.scrollLeft = chosen.offsetLeft - row.offsetLeft - 24;
    }));
    all("[data-toast]").forEach((toast) => {
      if (toast.dataset.seen) return;
      toast.dataset.seen = "1";
      setTimeout(() => toast.remove(), 6000);
    });
    all("[data-reveal], [data-copy], [data-script]").forEach((element) => { element.hidden = false; });
    all("[data-hide-script]").forEach((element) => { element.hidden = true; });
    all("[data-once]").forEach((field) => { field.value = ""; }); // what was chosen has been sent
    const wrong = one("[data-focus]") || one("[aria-invalid=true]");
    if (wrong && !wrong.dataset.seen) { wrong.dataset.seen = "1"; wrong.focus(); }
  };
  const tellChosen = () => all("[data-chosen]").forEach((label) => {
    label.textContent = label.dataset.words.replace("{}", all(`input[name="${label.dataset.chosen}"]:checked`).length);
  });
  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.dataset.toast = "";
    toast.textContent = text;
    one("#toasts")?.append(toast);
    settle();
  };
  document.addEventListener("htmx:after:swap", settle);

  /* Clicks. */
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest?.(selector);
    let button;
    if ((button = at("[data-reveal]"))) {
      const field = document.getElementById(button.dataset.reveal), label = one("span", button);
      const isHidden = field.type === "password";
      field.type = isHidden ? "text" : "password";
      [label.textContent, button.dataset.hide] = [button.dataset.hide, label.textContent];
    } else if ((button = at("[data-copy]"))) {
      const source = document.getElementById(button.dataset.copy);
      navigator.clipboard.writeText(source.value ?? source.textContent).then(() => say(button.dataset.copied));
    } else if ((button = at("[data-retry]"))) {
      reach();
    } else if ((button = at("[data-open]"))) {
      document.getElementById(button.dataset.open)?.showModal();
      event.preventDefault();
    } else if ((button = at("[data-close]"))) {
      button.closest("dialog")?.close();
      event.preventDefault();
    }
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches?.("[data-check-all]")) {
      all(`input[name="${field.dataset.checkAll}"]`).forEach((box) => { box.checked = field.checked; });
    }
    if (field.matches?.("[data-submit]")) field.form.requestSubmit();
    tellChosen();
    if (field.matches?.("[data-press]")) document.getElementById(field.dataset.press).click();
  });

  /* Files that are dropped or pasted go where files are chosen. */
  const give = (files, at) => {
    const field = one("input[type=file]", at), kept = new DataTransfer();
    [...files].filter((file) => file.type.startsWith("image/")).forEach((file) => kept.items.add(file));
    if (!kept.files.length) return false;
    field.files = kept.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  };
  const dropped = (event) => event.target.closest?.("[data-drop]");
  document.addEventListener("dragover", (event) => { if (dropped(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => { if (dropped(event) && give(event.dataTransfer.files, dropped(event))) event.preventDefault(); });
  document.addEventListener("paste", (event) => { const at = one("[data-drop]"); if (at && give(event.clipboardData.files, at)) event.preventDefault(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches?.("[data-ctrl-enter]")) one("button.pri", event.target.form)?.click();
  });

  /* Results one by one: arrows go to the one beside, in the viewer and between the pictures of a gallery. */
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, video")) return;
    const link = one(`${one("dialog[open]") ? "dialog[open]" : "main"} [data-go=${step < 0 ? "prev" : "next"}]`);
    const thumbs = all(".gal .thumb"), at = thumbs.indexOf(document.activeElement);
    if (link) link.click();
    else if (at >= 0) thumbs[at + step]?.focus();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail?.ctx?.target?.id === "main") all("dialog[open]").forEach((dialog) => dialog.close());
  });
  document.addEventListener("close", (event) => all("video", event.target).forEach((video) => video.pause()), true);

  /* Menus close like what lies on top: by Escape, which gives the focus back, or when something else is clicked. */
  const closeMenus = (at) => all("details.has-menu[open]").forEach((menu) => {
    if (menu.contains(at)) return;
    if (!at && menu.contains(document.activeElement)) one("summary", menu).focus();
    menu.open = false;
  });
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });

  /* Single letters; silent in fields, and off where the operator wants it. */
  let armed = 0;
  document.addEventListener("keydown", (event) => {
    if (root.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]")) return;
    const key = event.key;
    if (key === "/") { one("#find")?.focus(); event.preventDefault(); return; }
    if (key === "?") { one("#letters")?.showModal(); return; }
    if (key === "g" && Date.now() - armed >= 1500) { armed = Date.now(); return; }
    if (Date.now() - armed < 1500) {
      armed = 0;
      const link = one(`.nav a[data-key="${CSS.escape(key)}"]`);
      if (link) { link.click(); event.preventDefault(); }
      return;
    }
    const rows = all("tbody tr[data-row]");
    if (!rows.length) { if (key === "r") poll(); return; }
    const now = rows.findIndex((row) => row === document.activeElement?.closest?.("tr[data-row]"));
    const focusable = (row) => one("th a", row) || one("a, input, button", row);
    if (key === "j") focusable(rows[Math.min(now + 1, rows.length - 1)])?.focus();
    else if (key === "k") focusable(rows[Math.max(now - 1, 0)])?.focus();
    else if (key === "x" && now >= 0) one("input[type=checkbox]", rows[now])?.click();
    else if (key === "e" && now >= 0) (one("[data-edit]", rows[now]) || one("th a", rows[now]))?.click();
    else if (key === "." && now >= 0) {
      const menu = one("summary", rows[now]);
      menu ? menu.click() : one("button, a.btn", rows[now])?.focus();
    }
    else if (key === "r") poll();
  });

  setInterval(tick, 1000);
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", settle) : settle();
})();
