'use strict';
const said = document.getElementById('said');
for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const sid = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(sid);
      said.textContent = `${sid} is copied.`;
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      said.textContent = `${sid} is selected.`;
    }
  });
}
