"""The page and the component in a real Chromium: light and dark, phone and desktop, with the keyboard alone, and without a server.

    browser_tests.py <selvedge> [<folder for pictures>]
"""

import functools
import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import served

SHOP = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A shop</title><link rel="icon" href="data:,"><body style="margin:1rem;font:16px system-ui;{style}"><h1>A shop</h1><p id="before">Before</p>
<selvedge-list customer="{customer}" server="{server}" n="8" heading="For you" link="#/{{product_id}}/{{season}}"></selvedge-list>
<p id="after" style="margin-top:200vh">After</p>
<script>window.found=[];for(const name of["selvedge-list","selvedge-error","selvedge-click"])addEventListener(name,(event)=>found.push(name));</script>
<script src="{server}selvedge-list.js"></script></body></html>"""
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
passed, failed = 0, []


def check(what, holds, shown=""):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(f"{what}: {shown}")
        print(f"FAILED {what}: {shown}", file=sys.stderr)


def browser(folder):
    options = webdriver.ChromeOptions()
    for binary in ("/usr/bin/chromium", "/usr/bin/chromium-browser"):
        if pathlib.Path(binary).exists():
            options.binary_location = binary
    if not options.binary_location:
        sys.exit("error: there is no Chromium\n  do: apt-get install chromium chromium-driver")
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", f"--user-data-dir={folder}", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path="/usr/bin/chromedriver")
    return webdriver.Chrome(options=options, service=service)


def metrics(address):
    text = urllib.request.urlopen(f"{address}/metrics").read().decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and line[0] != "#"}


class Page:
    def __init__(self, driver, pictures):
        self.driver, self.pictures = driver, pictures

    def see(self, size, scheme):
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def wait(self, holds, seconds=10):
        try:
            # What is drawn anew while it is looked at is looked at again.
            waits = WebDriverWait(self.driver, seconds, poll_frequency=0.05, ignored_exceptions=[StaleElementReferenceException])
            return waits.until(lambda _: holds())
        except Exception:
            return None

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def picture(self, name):
        height = self.run("return Math.min(document.documentElement.scrollHeight, 3000)")
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": self.run("return innerWidth"), "height": height, "scale": 1}})
        import base64

        (self.pictures / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def quiet(self, what, allowed=()):
        said = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        said = [line for line in said if not any(word in line for word in allowed)]
        check(f"{what}: nothing is wrong on the console", not said, said)

    def fits(self, what):
        wide, seen = self.run("return [document.documentElement.scrollWidth, innerWidth]")
        check(f"{what}: nothing stands beyond the edge", wide <= seen, f"{wide} > {seen}")
        small = self.run(
            "return [...document.querySelectorAll('button, input, select')].filter(e => e.offsetParent && e.getBoundingClientRect().height < 40).map(e => e.id || e.textContent)"
        )
        check(f"{what}: what is to be pressed is large enough", not small, small)
        faint = self.run(FAINT)
        check(f"{what}: text stands out by 4.5 to 1", not faint, faint)


# The contrast of every text with what is behind it, as WCAG 2.2 reckons it.
FAINT = """
const channel = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const bright = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
const read = c => c.match(/[\\d.]+/g).map(Number);
const behind = e => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
const faint = [];
for (const e of document.querySelectorAll('body *')) {
  if (!e.offsetParent || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
  if (['SCRIPT', 'STYLE', 'OPTION'].includes(e.tagName)) continue;
  const [a, b] = [bright(read(getComputedStyle(e).color)), bright(behind(e))].sort((x, y) => y - x);
  if ((a + .05) / (b + .05) < 4.5) faint.push(e.textContent.trim().slice(0, 30) + ' ' + ((a + .05) / (b + .05)).toFixed(1));
}
return faint;
"""


def the_page(page, address):
    driver = page.driver
    for size in SIZES:
        for scheme in ("light", "dark"):
            what = f"page, {size}, {scheme}"
            page.see(size, scheme)
            driver.get(address + "/")
            check(f"{what}: there is a list", page.wait(lambda: len(page.all("#list > li")) == 10), page.one("#told").text)
            page.fits(what)
            page.picture(f"page-{size}-{scheme}")
            page.quiet(what)
    page.see("desktop", "light")
    driver.get(address + "/")
    page.wait(lambda: len(page.all("#list > li")) == 10)
    check("each article has a name, a reason and a price", all(item.find_element(By.CSS_SELECTOR, ".why").text and "€" in item.text for item in page.all("#list > li")))
    check("it says for whom it is made", "made for" in page.one("#told").text or "popular" in page.one("#told").text, page.one("#told").text)

    # An event, and what it changes.
    personal = next((one for one in page.run("return customers") if json.load(urllib.request.urlopen(f"{address}/recommend/{one}"))["articles"][0]["basis"] == "personal"), None)
    check("somebody is served by the ranking", personal)
    page.run("document.getElementById('customer').value = arguments[0]", personal)
    page.one("#ask button.main").click()
    page.wait(lambda: personal in page.one("#told").text)
    kept = lambda: metrics(address).get('selvedge_events_total{outcome="kept"}', 0)
    before = kept()
    for _ in range(4):
        told = page.one("#told").text
        page.all("#list > li .acts button")[1].click()
        page.wait(lambda: page.one("#told").text != told and "changed" in page.one("#told").text)
    check("an event is kept", kept() == before + 4, kept())
    check("it says what the event changed", "What the wish for" in page.one("#told").text, page.one("#told").text)
    check("what moved is marked", page.all("#list .move"), page.one("#told").text)
    page.picture("page-after-an-event")

    # Only a kind; why not; alike; what is known; releases; as a shop shows it.
    kinds = [option.get_attribute("value") for option in page.all("#category option")][1:]
    page.run("document.getElementById('category').value = arguments[0]", kinds[0])
    page.one("#ask button.main").click()
    check("only articles of a kind", page.wait(lambda: page.all("#list > li") and all(kinds[0] in item.text for item in page.all("#list > li"))), page.one("#told").text)
    page.run("document.getElementById('category').value = ''")
    page.one("#ask button.main").click()
    page.wait(lambda: len(page.all("#list > li")) == 10)
    shown = page.run("return before.articles.map(a => a.product_id)")
    page.one("#article").send_keys(shown[2], Keys.ENTER)
    check("why it is in the list", page.wait(lambda: "place 3" in page.one("#answer").text), page.one("#answer").text)
    page.one("#article").clear()
    page.one("#article").send_keys("no such", Keys.ENTER)
    check("what is wrong is said in words", page.wait(lambda: "no such" in page.one("#answer").text), page.one("#answer").text)
    page.quiet("why not", allowed=("409",))
    page.all("#list > li .acts button")[2].click()
    check("what is alike", page.wait(lambda: len(page.all("#alike li")) == 5), page.one("#told").text)
    check("and it is where the keyboard goes on", page.run("return document.activeElement.id") == "similar")
    for panel, found in (("known", "#features tr"), ("releases", "#roles .release")):
        page.one(f"#{panel} summary").click()
        check(f"{panel} says something", page.wait(lambda: page.all(found)))
    page.one("#shop summary").click()
    check("as a shop shows it", page.wait(lambda: page.run("return document.querySelector('#in-shop selvedge-list')?.shadowRoot.querySelectorAll('li').length > 0")))
    page.fits("page with everything open")
    page.picture("page-everything-open")
    page.see("phone", "dark")
    page.fits("page with everything open, phone")
    page.picture("page-everything-open-phone-dark")
    page.quiet("page with everything open")


def another_release(program, folder):
    """A release beside the one that serves; its name."""
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("  at_least_new: 2", "  at_least_new: 1"))
    built = subprocess.run([program, "release", "build", "--root", folder], capture_output=True, text=True, check=True)
    return built.stdout.strip()


def the_releases(page, address, program, folder):
    """Promote what a gate keeps back, a canary, a shadow, and back, each once it is confirmed."""
    driver = page.driver
    state = lambda: json.load(urllib.request.urlopen(f"{address}/releases"))
    first, second = state()["serving"], another_release(program, folder)
    page.see("desktop", "light")
    driver.get(address + "/")
    page.wait(lambda: len(page.all("#list > li")) == 10)
    page.one("#releases summary").click()
    check("every release is there", page.wait(lambda: len(page.all("#roles .release")) == 2), page.one("#roles").text)
    button = lambda name: next((one for one in page.all("#roles button") if one.get_attribute("aria-label") == name), None)
    check("what serves cannot be promoted again, and there is nothing to go back to", not button(f"Promote release {first}") and not button("Roll back"), page.one("#roles").text)
    press = lambda *keys: ActionChains(driver).send_keys(*keys).perform()
    is_open = lambda: page.run("return document.getElementById('switch').open")

    # Nothing happens before it is confirmed; the keyboard stays in the question, and comes back to where it was.
    page.run("arguments[0].focus()", button(f"Promote release {second}"))
    press(Keys.ENTER)
    check("it is asked first", page.wait(is_open) and second in page.one("#switch-title").text, page.one("#switch").text)
    names = page.run("const d = document.getElementById('switch'); return [d.getAttribute('aria-labelledby'), d.getAttribute('aria-describedby'), document.activeElement.id]")
    check("a screen reader hears what is asked, and the keyboard is there", names == ["switch-title", "switch-does", "because"], names)
    for size in SIZES:
        for scheme in ("light", "dark"):
            page.see(size, scheme)
            page.fits(f"a switch, {size}, {scheme}")
            wide, seen = page.run("const d = document.getElementById('switch'); return [d.scrollWidth, d.clientWidth]")
            check(f"a switch, {size}, {scheme}: nothing stands beyond its edge", wide <= seen, f"{wide} > {seen}")
            page.picture(f"switch-{size}-{scheme}")
    page.see("desktop", "light")
    press(Keys.ESCAPE)
    check("and left alone with Escape", page.wait(lambda: not is_open()) and state()["serving"] == first, state())
    back = page.run("return document.activeElement.getAttribute('aria-label')")
    check("the keyboard is where it was", back == f"Promote release {second}", back)

    # A gate keeps it back, and says why; with a reason it serves.
    button(f"Promote release {second}").click()
    page.wait(is_open)
    page.one("#confirm").click()
    check("a gate's refusal is told in words", page.wait(lambda: "begin with the same article" in page.one("#refused").text), page.one("#refused").text)
    check("and read aloud", page.one("#refused").get_attribute("role") == "alert" and is_open() and state()["serving"] == first)
    page.picture("switch-refused")
    page.quiet("a gate's refusal", allowed=("409",))
    page.one("#because").send_keys("it is the browser's test", Keys.ENTER)
    check("with a reason it serves", page.wait(lambda: not is_open() and state()["serving"] == second), state())
    check("which is said", page.wait(lambda: page.one("#told").text == f"Release {second} serves."), page.one("#told").text)
    check("and shown above", second in page.one("#release").text, page.one("#release").text)

    # A canary of some customers, a shadow, and back.
    page.wait(lambda: button(f"Canary release {first}"))
    button(f"Canary release {first}").click()
    page.wait(is_open)
    page.run("document.getElementById('share').value = 25")
    page.one("#confirm").click()
    check("a canary has its share", page.wait(lambda: not is_open() and (state()["canary"], state()["canary_share"]) == (first, 0.25)), state())
    check("the page says so", page.wait(lambda: "Canary for 25 of 100 customers" in page.one("#roles").text), page.one("#roles").text)
    button("Roll back").click()
    page.wait(is_open)
    check("what a rollback does is told before", f"{first} is the canary no more" in page.one("#switch-does").text, page.one("#switch-does").text)
    page.one("#confirm").click()
    check("the canary is taken back", page.wait(lambda: not is_open() and state()["canary"] is None and state()["serving"] == second), state())
    page.wait(lambda: button(f"Shadow release {first}"))
    button(f"Shadow release {first}").click()
    page.wait(is_open)
    page.one("#confirm").click()
    check("a shadow answers unseen", page.wait(lambda: not is_open() and state()["shadow"] == first), state())
    page.wait(lambda: "Answers unseen" in page.one("#roles").text)
    button("Roll back").click()
    page.wait(is_open)
    page.one("#because").send_keys("enough")
    page.one("#confirm").click()
    check("what served before serves again", page.wait(lambda: not is_open() and state()["serving"] == first), state())
    check("which is said too", page.wait(lambda: page.one("#told").text == f"Release {first} serves again."), page.one("#told").text)
    check("what serves answers no more beside itself", state()["shadow"] is None, state())
    check("it is said why it was taken back", page.wait(lambda: f"{second} was taken back: enough" in page.one("#roles").text), page.one("#roles").text)
    page.fits("releases")
    page.picture("releases-desktop")
    page.see("phone", "dark")
    page.fits("releases, phone")
    page.picture("releases-phone-dark")
    page.quiet("releases")


def who_may_not_switch(page, program):
    """A key that may read sees the releases, and no way to switch them."""
    with served.server(program, "--playground") as (running, folder):
        key = lambda *rights: subprocess.run([program, "key", *rights, "--root", folder], capture_output=True, text=True, check=True).stdout.split()[-1]
        reads, operates = key("read"), key("read", "write", "operate")
        another_release(program, folder)
        page.see("desktop", "light")
        page.driver.get(running.address + "/")
        check("a key is asked for", page.wait(lambda: page.one("#key").is_displayed()), page.one("#told").text)
        enter = lambda text: page.run("const k = document.getElementById('key'); k.value = arguments[0]; k.dispatchEvent(new Event('change'))", text)
        enter(reads)
        page.wait(lambda: len(page.all("#list > li")) == 10)
        page.one("#releases summary").click()
        check("who may read sees releases", page.wait(lambda: len(page.all("#roles .release")) == 2), page.one("#roles").text)
        check("and cannot switch", not page.all("#roles button") and "may not switch" in page.one("#roles").text, page.one("#roles").text)
        enter(operates)
        page.wait(lambda: len(page.all("#list > li")) == 10)
        page.one("#releases summary").click()
        page.one("#releases summary").click()
        check("who may operate can", page.wait(lambda: len(page.all("#roles button")) == 3), page.one("#roles").text)


def by_keyboard(page, address):
    """From the address bar to what an event changed, without a mouse."""
    driver = page.driver
    page.see("desktop", "light")
    driver.get(address + "/")
    page.wait(lambda: len(page.all("#list > li")) == 10)
    page.run("document.getElementById('customer').value = ''; document.body.focus()")
    names, wanted = [], page.run("return customers[1]")
    press = lambda *keys: ActionChains(driver).send_keys(*keys).perform()
    focused = lambda: page.run("const e = document.activeElement; return e.getAttribute('aria-label') ?? e.id ?? e.textContent")
    for _ in range(12):
        press(Keys.TAB)
        names.append(focused() or page.run("return document.activeElement.textContent"))
        style = page.run("const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]")
        check(f"where the keyboard is can be seen ({names[-1]})", style[0] != "none" and style[1] != "0px" or names[-1] == "To the list", style)
        if names[-1] == "customer":
            press(wanted, Keys.ENTER)
            page.wait(lambda: wanted in page.one("#told").text or "popular" in page.one("#told").text)
        if str(names[-1]).startswith("Looked"):
            press(Keys.ENTER)
            break
    check("everything is reached in its order", names[0] == "To the list" and "customer" in names and str(names[-1]).startswith("Looked"), names)
    check("what it changed is said aloud", page.wait(lambda: "changed" in page.one("#told").text or "agreed" in page.one("#told").text) and page.one("#told").get_attribute("aria-live") == "polite", page.one("#told").text)


def the_component(page, address, shop, folder, personal):
    driver = page.driver

    def lay(name, **how):
        (folder / name).write_text(SHOP.format(**{"customer": personal, "server": address + "/", "style": "", **how}))
        driver.get(f"{shop}/{name}")

    items = lambda: page.run("return document.querySelector('selvedge-list')?.shadowRoot?.querySelectorAll('li').length ?? 0")
    for size in SIZES:
        for scheme in ("light", "dark"):
            what = f"component, {size}, {scheme}"
            page.see(size, scheme)
            lay("shop.html", style="background:#111;color:#eee" if scheme == "dark" else "background:#fff")
            check(f"{what}: there is a list", page.wait(lambda: items() == 8), page.run("return found"))
            wide, seen = page.run("return [document.documentElement.scrollWidth, innerWidth]")
            check(f"{what}: nothing stands beyond the edge", wide <= seen, f"{wide} > {seen}")
            page.picture(f"component-{size}-{scheme}")
            page.quiet(what)
    # What is on the screen for a second is told as shown, once; what is not, is not.
    page.see("phone", "light")
    kept = lambda: metrics(address).get('selvedge_events_total{outcome="kept"}', 0)
    page.wait(lambda: False, 1.5)
    before = kept()
    lay("shop.html")
    page.wait(lambda: items() == 8)
    page.wait(lambda: kept() > before, 5)
    time.sleep(0.6)
    first = kept() - before
    seen = page.run("return [...document.querySelector('selvedge-list').shadowRoot.querySelectorAll('li')].filter(e => { const r = e.getBoundingClientRect(); return r.top + r.height / 2 < innerHeight; }).length")
    check("what was seen is told, and nothing else", 0 < first <= seen < 8, f"{first} told, {seen} seen")
    page.run("document.querySelector('#after').scrollIntoView()")
    time.sleep(0.3)
    page.run("document.querySelector('h1').scrollIntoView()")
    time.sleep(1.8)
    check("however often it is seen", kept() - before == first, f"{kept() - before} told after {first}")
    # A click, by the keyboard, is told and leads to the article.
    for _ in range(3):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        if page.run("return document.activeElement.tagName") == "SELVEDGE-LIST":
            break
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    check("a click is told", page.wait(lambda: kept() == before + first + 1, 5), f"{kept() - before} told after {first}")
    check("and leads to the article", "#/" in driver.current_url and "selvedge-click" in page.run("return found"), driver.current_url)
    page.quiet("component, clicked")
    names = page.run("const s = document.querySelector('selvedge-list').shadowRoot; return [s.querySelector('section').getAttribute('aria-labelledby'), s.querySelector('ol') !== null, [...s.querySelectorAll('li a')].every(a => a.textContent.trim())]")
    check("a screen reader hears a list with a name and links with text", names == ["heading", True, True], names)
    # Who is not there, and a server that is not there: nothing is shown, nothing is broken.
    lay("nobody.html", customer="nobody")
    check("of nobody nothing is shown", page.wait(lambda: "selvedge-error" in page.run("return found")) and not page.one("selvedge-list").is_displayed())
    page.quiet("component, nobody", allowed=("404",))
    text = SHOP.format(customer=personal, server="http://127.0.0.1:9/", style="").replace("http://127.0.0.1:9/selvedge-list.js", f"{address}/selvedge-list.js")
    (folder / "alone.html").write_text(text)
    driver.get(f"{shop}/alone.html")
    check("without the server nothing is shown", page.wait(lambda: "selvedge-error" in page.run("return found")) and not page.one("selvedge-list").is_displayed())
    check("and nothing is broken", page.one("#before").is_displayed() and page.run("return document.querySelector('#after').getBoundingClientRect().top > 0"))
    page.quiet("component, alone", allowed=("ERR_CONNECTION_REFUSED", "ERR_UNSAFE_PORT"))
    (folder / "none.html").write_text(SHOP.format(customer=personal, server="http://127.0.0.1:9/", style=""))
    driver.get(f"{shop}/none.html")
    check("nor without its file", page.one("#before").is_displayed() and not page.one("selvedge-list").text)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    pictures = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "work/browser")
    pictures.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "shop").mkdir()
        files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder / "shop"))
        threading.Thread(target=files.serve_forever, daemon=True).start()
        shop = f"http://127.0.0.1:{files.server_port}"
        # Every release shows some first article more than once: the gate keeps each back that nobody gives a reason for.
        gated = (("gate_same_first", "0.0"),)
        with served.server(program, "--playground", "--origin", shop, changes=gated) as (running, copy):
            driver = browser(folder / "profile")
            try:
                page = Page(driver, pictures)
                the_page(page, running.address)
                by_keyboard(page, running.address)
                the_releases(page, running.address, program, copy)
                ids = json.load(urllib.request.urlopen(f"{running.address}/customers"))
                personal = next(one for one in ids if json.load(urllib.request.urlopen(f"{running.address}/recommend/{one}"))["articles"][0]["basis"] == "personal")
                the_component(page, running.address, shop, folder / "shop", personal)
                who_may_not_switch(page, program)
            finally:
                driver.quit()
        files.shutdown()
    print(f"pictures are in {pictures}; {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


main()
