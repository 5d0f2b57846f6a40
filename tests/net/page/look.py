"""Look at the page of tasks at URL in headless Chromium, and print what it shows.

usage: look.py URL [SCREENSHOT.png]
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "samples", "net"))

from browser import run

# A promise of the page's text once it has had an answer with executors in it.
SHOWN = """
new Promise(resolve => {
  const look = () => {
    if (document.querySelectorAll('#executors tr').length < 1) return setTimeout(look, 50);
    const cells = id => [...document.querySelectorAll(`#${id} tr`)].map(
      row => [...row.cells].map(cell => cell.textContent));
    resolve({
      tasks: [...document.querySelectorAll('#tasks tr')].map(row => [
        row.className, row.cells[0].dataset.branch.length,
        ...[...row.cells].slice(0, 3).map(cell => cell.textContent)]),
      links: [...document.querySelectorAll('#tasks a')].map(link => link.hash),
      waits: cells('waits'), turns: cells('turns'), executors: cells('executors'),
      elements: document.querySelectorAll('#tasks b, #tasks img, #tasks script').length,
      harmed: String(window.harmed),
    });
  };
  look();
})
"""
AGAIN = """
new Promise(resolve => {
  const state = document.getElementById('state');
  new MutationObserver(() => resolve(state.className)).observe(state, {childList: true});
})
"""


def show(shown):
    for name, level, *cells in shown["tasks"]:
        print("  " * (level // 2) + " | ".join(cells) + (f" ({name})" if name else ""))
    print("links", *shown["links"])
    print("waits", *(f"{name}={tasks}" for name, tasks in sorted(shown["waits"])))
    print("turns", len(shown["turns"]), *(name for _, name in shown["turns"][:1]))
    for executor in shown["executors"]:
        print("executor", *executor[:3])
    print("markup", shown["elements"], shown["harmed"])


async def look(browser, url, screenshot):
    page = await browser.open(url)
    show(await page.run(SHOWN))
    print("again", (await page.run(AGAIN)) or "answered")
    if screenshot:
        await browser.call(
            "Emulation.setDeviceMetricsOverride",
            page.session,
            width=960,
            height=760,
            deviceScaleFactor=1,
            mobile=False,
        )
        await page.run(AGAIN)
        await page.screenshot(screenshot)
    await page.close()


run(look)
