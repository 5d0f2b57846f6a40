"""Two people meet in the chat at URL, in headless Chromium, and what one of them sees is printed.

usage: browser.py URL [SCREENSHOT.png]
"""

import asyncio
import base64
import itertools
import json
import os
import sys
import tempfile

import websockets

PATIENCE_S = 60

ENTER = """
document.getElementById('name').value = %s;
document.getElementById('enter').requestSubmit();
"""
SAY = """
document.getElementById('line').value = %s;
document.getElementById('say').requestSubmit();
"""
# A promise of what the page shows once there are that many lines.
LINES = """
new Promise(resolve => {
  const lines = document.getElementById('lines');
  const look = () => lines.children.length >= %d &&
    resolve([...lines.children].map(line => line.textContent));
  new MutationObserver(look).observe(lines, {childList: true});
  look();
})
"""
LOADED = """
new Promise(resolve => document.readyState === 'complete' ? resolve(true)
  : addEventListener('load', () => resolve(true)))
"""


class Browser:
    """Chromium's side of the DevTools protocol; answers come in order of their calls."""

    def __init__(self, devtools):
        self.devtools = devtools
        self.numbers = itertools.count(1)

    async def call(self, method, session=None, **params):
        message = {"id": next(self.numbers), "method": method, "params": params}
        if session:
            message["sessionId"] = session
        await self.devtools.send(json.dumps(message))
        while True:
            answer = json.loads(await self.devtools.recv())
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    async def open(self, url):
        target = await self.call(
            "Target.createTarget", url="about:blank", newWindow=True, width=760, height=640
        )
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self, target["targetId"], attached["sessionId"])
        await self.call("Page.enable", page.session)
        await self.call("Page.navigate", page.session, url=url)
        await page.run(LOADED)
        return page


class Page:
    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session

    async def run(self, script):
        result = await self.browser.call(
            "Runtime.evaluate",
            self.session,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    async def lines(self, count):
        return await self.run(LINES % count)

    async def screenshot(self, path):
        shot = await self.browser.call("Page.captureScreenshot", self.session)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    async def close(self):
        await self.browser.call("Target.closeTarget", targetId=self.target)


async def meet(browser, url, screenshot):
    ann, bob = await browser.open(url), await browser.open(url)
    await ann.run(ENTER % json.dumps("ann"))
    await ann.lines(1)
    await bob.run(ENTER % json.dumps("bob"))
    await bob.lines(1)
    await bob.run(SAY % json.dumps("Is anybody there?"))
    await ann.lines(3)
    await ann.run(SAY % json.dumps("I am. <b>Bold</b>, 3 € & \"more\""))
    if await ann.lines(4) != [*["* ann is here"], *await bob.lines(3)]:
        raise RuntimeError("they do not see the same")
    if await ann.run("document.getElementById('enter').checkVisibility()"):
        raise RuntimeError("who has entered is asked for a name")
    if screenshot:
        await ann.screenshot(screenshot)
    await bob.close()
    print("\n".join(await ann.lines(5)))


async def start(folder):
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    chromium = await asyncio.create_subprocess_exec(
        "chromium",
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        *sandbox,
        env={**os.environ, "HOME": folder},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    while line := await chromium.stderr.readline():
        if b"DevTools listening on " in line:
            return chromium, line.split()[-1].decode()
    raise RuntimeError("Chromium does not start")


async def main(visit, url, screenshot=None):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        chromium, devtools = await start(folder)
        drain = asyncio.create_task(chromium.stderr.read())
        try:
            async with websockets.connect(devtools, max_size=None) as connection:
                browser = Browser(connection)
                await visit(browser, url, screenshot)
                await browser.call("Browser.close")
            await chromium.wait()
        finally:
            if chromium.returncode is None:
                chromium.kill()
            await drain


def run(visit):
    asyncio.run(asyncio.wait_for(main(visit, *sys.argv[1:]), PATIENCE_S))


if __name__ == "__main__":
    run(meet)
