"""A real browser: Debian's chromium, driven by selenium, with what it asked for and complained of written down."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Self

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from pathlib import Path

# Nothing that a browser does by itself: no updates, no first run, no sync. A container cannot give it a sandbox.
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)


class Browser:
    """One window; `with Browser(folder)` starts and ends it. Everything it keeps is below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*_FLAGS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self._driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.quit()

    def open(self, text: str, suffix: str = "html", *, width: int = 1280, scheme: str = "light") -> None:
        """Show a page as a file of its own."""
        place = self._folder / f"page.{suffix}"
        place.write_text(text, encoding="utf-8")
        self.resize(width)
        self.prefer("prefers-color-scheme", scheme)
        self._log("performance")
        self._log("browser")
        self._driver.get(place.as_uri())

    def resize(self, width: int) -> None:
        """Make the window so many CSS pixels wide."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.tell("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, feature: str, value: str) -> None:
        """Make the person prefer something, as the system's settings would say it."""
        self.tell("Emulation.setEmulatedMedia", {"features": [{"name": feature, "value": value}]})

    def tell(self, command: str, arguments: dict[str, Any]) -> Any:
        """Send one command of the DevTools protocol."""
        return self._driver.execute_cdp_cmd(command, arguments)

    def run(self, script: str) -> Any:
        """Run JavaScript from outside the page, and return what it returns."""
        return self._driver.execute_script(script)

    def press(self, key: str) -> None:
        """Press one key."""
        ActionChains(self._driver).send_keys(getattr(Keys, key)).perform()

    def complaints(self) -> list[str]:
        """Return what the browser wrote to its console since the page was opened; broken policies among it."""
        return [entry["message"] for entry in self._log("browser")]

    def requests(self) -> list[str]:
        """Return every URL that was asked for since the page was opened, the page's own among them."""
        entries = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [one["params"]["request"]["url"] for one in entries if one["method"] == "Network.requestWillBeSent"]

    def _log(self, name: str) -> list[dict[str, Any]]:
        """Return what a log has got since it was last asked for."""
        entries: list[dict[str, Any]] = self._driver.get_log(name)  # type: ignore[no-untyped-call]
        return entries
