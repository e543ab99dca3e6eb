"""What every page must be for those who see badly, have no mouse, or stand in the dark."""

from playwright.sync_api import Page

# Of all text that is shown: its contrast to what is behind it (WCAG 2), where that is less than 4.5.
_FAINT = """() => {
  const channels = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = channels(colour).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  const faint = [];
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    const [front, back] = [light(getComputedStyle(element).color), light(behind(element))];
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 4.5) faint.push(`${element.textContent.trim().slice(0, 30)}: ${contrast.toFixed(1)}`);
  }
  return faint;
}"""
_NAMELESS = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a, img")]
  .filter((each) => !(each.labels?.length || each.textContent.trim() || each.getAttribute("aria-label") || each.alt
    || each.querySelector("img[alt]")))
  .map((each) => each.outerHTML.slice(0, 80))"""
_SMALL = """() => [...document.querySelectorAll("button, summary, select, .button, .card a")]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 40)
  .map((each) => each.outerHTML.slice(0, 80))"""


def is_for_everybody(page: Page) -> None:
    """Names for what can be used, large enough for a thumb, nothing beside the screen, contrast by day and by night."""
    assert page.evaluate(_NAMELESS) == []
    assert page.evaluate(_SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "nothing sticks out of the screen"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(_FAINT) == [], "contrast by night"
    page.emulate_media(color_scheme="light")
    assert page.evaluate(_FAINT) == [], "contrast by day"
