// What the demo's pages share: the language, and where this gateway is.

const wanted = new URLSearchParams(location.search).get("lang") ?? stored() ?? navigator.language;
show(/^zh/i.test(wanted) ? "zh-CN" : "en");

for (const button of document.querySelectorAll(".languages button")) {
  button.addEventListener("click", () => {
    show(button.lang);
    try {
      localStorage.setItem("chalkcast-language", button.lang);
    } catch {
      // A browser that keeps nothing asks the next page's address instead.
    }
  });
}

/** The words for the language that is shown. */
export function words(en, zh) {
  return document.documentElement.lang === "en" ? en : zh;
}

function show(lang) {
  document.documentElement.lang = lang;
  const title = document.querySelector("title");
  document.title = title.dataset[lang === "en" ? "en" : "zh"] ?? document.title;
  for (const button of document.querySelectorAll(".languages button")) button.setAttribute("aria-pressed", String(button.lang === lang));
  document.dispatchEvent(new Event("languagechange"));
}

function stored() {
  try {
    return localStorage.getItem("chalkcast-language");
  } catch {
    return null;
  }
}
