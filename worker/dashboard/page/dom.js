// Small tools over the DOM. Text only ever goes in as text: nothing of the topic can become markup.

export const find = (selector, within = document) => within.querySelector(selector);

/** An element: `el('td', {class: 'num', onclick: f}, 'text', child, …)`. Null children are left out. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name.startsWith('--')) made.style.setProperty(name, value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat().filter((each) => each !== null && each !== undefined && each !== ''));
  return made;
}

/** Sets a text where it differs, so that nothing flickers and screen readers stay calm. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `container` those of `items`, in order, and touches only what has changed: what has the focus,
 * or has been opened, stays as it is.
 */
export function keyed(container, items, keyOf, make) {
  const before = new Map([...container.children].map((child) => [child.dataset.key, child]));
  let place = container.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const signature = JSON.stringify(item) + document.documentElement.lang;
    let child = before.get(key);
    before.delete(key);
    if (!child || child.signature !== signature) {
      const fresh = make(item);
      fresh.dataset.key = key;
      fresh.signature = signature;
      if (child) {
        if (place === child) place = fresh;
        replace(child, fresh);
      }
      child = fresh;
    }
    if (child === place) place = place.nextElementSibling;
    else container.insertBefore(child, place);
  }
  for (const gone of before.values()) gone.remove();
}

/** Puts `fresh` in the place of `old`; what was open stays open, what had the focus has it again. */
function replace(old, fresh) {
  const focusable = 'a, button, summary, input, [tabindex]';
  const own = (element) => [element, ...element.querySelectorAll(focusable)].filter((each) => each.matches(focusable));
  const focused = own(old).indexOf(document.activeElement);
  if (old.tagName === 'DETAILS') fresh.open = old.open;
  old.replaceWith(fresh);
  if (focused >= 0) own(fresh)[focused]?.focus({preventScroll: true});
}
