// Any value: can be called, constructed, extended, iterated and asked for any property.
function standIn() {
  const target = function StandIn() {};
  return new Proxy(target, {
    get(own, key) {
      if (key === "__esModule") return true;
      if (key === Symbol.toPrimitive) return () => "stand-in";
      if (key === Symbol.iterator) return function* nothing() {};
      if (key === "then" || key in own) return own[key];
      own[key] = standIn();
      return own[key];
    },
    apply: () => standIn(),
    construct: (own, _, of) => (of.prototype === own.prototype ? standIn() : Object.create(of.prototype)),
  });
}

module.exports = standIn();
