// How a page looks: photographed wide and narrow, with nothing cut off, no control too small for a thumb, and audited by axe.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } };

/**
 * Opens one of the demo's pages, where the `element` gets its `attributes` (it is `shown` on the page from then on), does what `then` says, and
 * looks at it in each language once it says the `words` of that.
 */
export async function see(browser, { name, url, element, attributes = {}, then = async () => {}, words }) {
  const page = await browser.page();
  await page.goto(url);
  await page.evaluate(
    ({ element, attributes }) => {
      globalThis.visible = (root) => [...root.querySelectorAll("*")].filter((element) => element.checkVisibility?.() ?? true).filter(({ children }) => children.length === 0).map(({ textContent }) => textContent).join("");
      globalThis.shown = document.querySelector(element);
      for (const [name, value] of Object.entries(attributes)) shown.setAttribute(name, value);
    },
    { element, attributes },
  );
  await then(page);
  for (const [lang, said] of Object.entries(words)) {
    await page.evaluate((lang) => document.querySelector(`.languages [lang^=${lang}]`).click(), lang);
    await page.until(`"${said}" on the page`, (said) => new RegExp(said).test(visible(shown.shadowRoot)), { argument: said });
    await photograph(page, `state-${name}-${lang}-${browser.name}`, element);
    await audit(page, `${name} ${lang}`);
  }
  await page.close();
}

/** Photographs `page` as `name` in both sizes. Nothing may be wider than the window, nor be cut off by the element that `selector` finds. */
export async function photograph(page, name, selector) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.viewport(viewport);
    await page.screenshot(`${name}-${size}`);
    const seen = await page.evaluate(measure, selector);
    assert.deepEqual({ name, size, ...seen }, { name, size, tooWide: 0, cut: [], small: [] });
  }
  await page.viewport(SIZES.wide);
}

/** axe finds nothing wrong with the page, or with what it is given of it. */
export async function audit(page, name, options = {}) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((options) => axe.run(document, options), options);
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`), [], name);
}

/** On the page: how many pixels it is too wide, what of the element is cut off by its edge, and which of its controls are under 44 pixels. */
function measure(selector) {
  const tooWide = Math.max(0, document.documentElement.scrollWidth - innerWidth);
  const element = selector && document.querySelector(selector);
  if (!element) return { tooWide, cut: [], small: [] };
  const box = element.getBoundingClientRect();
  const shown = [...element.shadowRoot.querySelectorAll("[part]")].filter((part) => part.getClientRects().length > 0);
  const names = (parts) => parts.map((part) => part.part.value);
  const cut = shown.filter((part) => {
    const { left, right, bottom } = part.getBoundingClientRect();
    return left < box.left - 1 || right > box.right + 1 || bottom > box.bottom + 1;
  });
  const small = shown.filter((part) => part.matches("button, select, input")).filter((part) => {
    const { width, height } = part.getBoundingClientRect();
    return width < 44 || height < 44;
  });
  return { tooWide, cut: names(cut), small: names(small) };
}
