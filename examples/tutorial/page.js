/** Shows a code and what it means. */
export function log(code, words) {
  const line = document.createElement("li");
  line.append(Object.assign(document.createElement("code"), { textContent: code }), ` ${words}`);
  document.querySelector("#log").append(line);
}

/** What `addChild(video)` did. */
export function place(video) {
  document.querySelector("#stage").append(video.element);
}
