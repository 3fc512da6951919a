// Runs before the app's modules, and says so where one of them does not come: without it the page would stay empty.

addEventListener(
  "error",
  ({ target }) => {
    if (!(target instanceof HTMLScriptElement)) return;
    const again = document.createElement("a");
    again.href = location.href;
    again.className = "button";
    again.textContent = "Try again";
    const title = document.createElement("h1");
    title.textContent = "PyMD could not be loaded";
    const text = document.createElement("p");
    text.textContent = "A part of it did not come. Nothing you wrote is lost.";
    const panel = document.createElement("div");
    panel.className = "state";
    panel.setAttribute("role", "alert");
    panel.append(title, text, again);
    document.querySelector("main").replaceChildren(panel);
  },
  true, // a script's own error does not bubble
);
