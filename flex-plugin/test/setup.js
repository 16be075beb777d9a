// What Flex UI asks of a browser while it loads, and jsdom lacks.
window.HTMLMediaElement.prototype.play = () => Promise.resolve();
window.HTMLMediaElement.prototype.pause = () => undefined;
