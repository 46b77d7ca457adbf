// Absolute times in the visitor's time zone, which is named, with UTC on hover. The server writes them in the site's
// zone. "2 hours ago" and "in 7 days" keep their words.

const ABSOLUTE = /^[A-Z][a-z]{2} \d+, \d{4}(, \d\d:\d\d(:\d\d)? )?/;
const DAY = { year: "numeric", month: "short", day: "numeric" };
const MINUTE = { ...DAY, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const SECOND = { ...MINUTE, second: "2-digit" };

const format = (options) => new Intl.DateTimeFormat("en-US", options);
const day = format(DAY);
const minute = format(MINUTE);
const second = format(SECOND);
const utc = format({ ...SECOND, timeZone: "UTC" });
// American English has names for American zones, British English for European ones.
const zones = ["en-US", "en-GB"].map((locale) => new Intl.DateTimeFormat(locale, { timeZoneName: "short" }));

function zone(date) {
  const names = zones.map((zone) => zone.formatToParts(date).find(({ type }) => type === "timeZoneName").value);
  return names.find((name) => !/^GMT./.test(name)) ?? names[0];
}

function localize(element) {
  const date = new Date(element.dateTime);
  const name = zone(date);
  const [absolute, time, seconds] = ABSOLUTE.exec(element.textContent) ?? [];
  if (time) element.textContent = `${(seconds ? second : minute).format(date)} ${name}`;
  else if (absolute) element.textContent = day.format(date);
  element.title = name === "UTC" ? `${utc.format(date)} UTC` : `${second.format(date)} ${name} · ${utc.format(date)} UTC`;
}

// Also for the page itself.
document.addEventListener("htmx:load", ({ target }) => target.querySelectorAll("time").forEach(localize));
