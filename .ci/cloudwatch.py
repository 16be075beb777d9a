"""Plays figures through the rules by which CloudWatch evaluates alarms, as far as the template uses them.

Sources:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

All times are whole minutes.
"""

import bisect
import math
import operator
import re

OK, ALARM, UNKNOWN = "OK", "ALARM", "INSUFFICIENT_DATA"
# CloudWatch looks every minute. Every fifth is enough here, since each period has at least five.
STEP = 5
# A figure has arrived this many minutes after its time: the longest run takes 14.
ARRIVED = 30
COMPARE = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


class Metrics:
    """Data points, each with its time and with the time from which CloudWatch has it."""

    def __init__(self):
        self.points = {}
        self.complete = {}

    def add(self, key, at, value, known=None):
        known = at + 1 if known is None else known
        assert known - at <= ARRIVED
        bisect.insort(self.points.setdefault(key, []), (at, known, value))

    def figure(self, key, name, window, now):
        """The statistic of what has arrived of a window."""
        arrived = now >= window[1] + ARRIVED
        if arrived and (key, name, window) in self.complete:
            return self.complete[key, name, window]
        points = self.points.get(key, [])
        first, last = (bisect.bisect_left(points, (edge, -1, -1)) for edge in window)
        figure = statistic(name, [value for _, known, value in points[first:last] if known <= now])
        if arrived:
            self.complete[key, name, window] = figure
        return figure


def statistic(name, values):
    """A statistic of data points, or None where there is none."""
    if not values:
        return None
    if name == "Sum":
        return sum(values)
    if name == "Maximum":
        return max(values)
    rank = math.ceil(float(name.removeprefix("p")) / 100 * len(values))
    return sorted(values)[rank - 1]


class Series:
    """A series in metric math. An operation on a missing point gives a missing point."""

    def __init__(self, values):
        self.values = values

    def _with(self, other, function):
        others = other.values if isinstance(other, Series) else [other] * len(self.values)
        pairs = zip(self.values, others, strict=True)
        return Series([None if None in pair else function(*pair) for pair in pairs])

    def __add__(self, other):
        return self._with(other, operator.add)

    def __sub__(self, other):
        return self._with(other, operator.sub)

    def __truediv__(self, other):
        return self._with(other, operator.truediv)

    def __gt__(self, other):
        return self._with(other, lambda one, two: int(one > two))


def fill(series, value):
    return Series([value if point is None else point for point in series.values])


def choose(condition, then, otherwise):
    def column(value):
        return value.values if isinstance(value, Series) else [value] * len(condition.values)

    rows = zip(condition.values, column(then), column(otherwise), strict=True)
    return Series([None if which is None else (one if which else two) for which, one, two in rows])


class Template:
    """A translated template with values for its parameters."""

    def __init__(self, template, parameters):
        self.conditions = template.get("Conditions", {})
        defaults = {name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p}
        unknown = set(parameters) - set(template["Parameters"])
        assert not unknown, f"no such parameters: {unknown}"
        self.parameters = {**defaults, **parameters}
        self.resources = {
            name: r for name, r in template["Resources"].items() if "Condition" not in r or self.holds(r["Condition"])
        }

    def holds(self, condition):
        if isinstance(condition, str):
            condition = self.conditions[condition]
        (function, given), = condition.items()
        if function == "Condition":
            return self.holds(given)
        if function == "Fn::Not":
            return not self.holds(given[0])
        if function == "Fn::Or":
            return any(map(self.holds, given))
        assert function == "Fn::Equals", f"{function} is not known here"
        one, two = (self.value(side) for side in given)
        return str(one) == str(two)

    def value(self, value):
        """A value of a property; AWS::NoValue is None, and what only AWS knows stays as it is."""
        if isinstance(value, list):
            return [part for part in map(self.value, value) if part is not None]
        if isinstance(value, dict):
            if "Ref" in value:
                return None if value["Ref"] == "AWS::NoValue" else self.parameters.get(value["Ref"], value)
            if "Fn::If" in value:
                condition, then, otherwise = value["Fn::If"]
                return self.value(then if self.holds(condition) else otherwise)
        return value

    def of_type(self, kind):
        return {name: r["Properties"] for name, r in self.resources.items() if r["Type"] == kind}


def owner(metric):
    """The logical name of the function or queue that a metric is about."""
    (dimension,) = metric["Dimensions"]
    value = dimension["Value"]
    return value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]


class Alarm:
    """A metric alarm."""

    def __init__(self, name, properties, template):
        self.name = name
        self.properties = {key: template.value(value) for key, value in properties.items()}
        self.periods = int(self.properties["EvaluationPeriods"])
        self.enough = int(self.properties.get("DatapointsToAlarm", self.periods))
        self.threshold = float(self.properties["Threshold"])
        self.breaches = COMPARE[self.properties["ComparisonOperator"]]
        metrics = self.properties.get("Metrics")
        simple = {"Id": "only", "MetricStat": {"Metric": self.properties, **self.properties}}
        self.metrics = [query for query in metrics or [simple] if "MetricStat" in query]
        self.expressions = [compile(query["Expression"], name, "eval") for query in metrics or [] if "Expression" in query]
        assert len(self.expressions) == bool(metrics), f"{name} has one expression, or one metric"
        (self.period,) = {int(query["MetricStat"]["Period"]) // 60 for query in self.metrics}
        assert self.period >= STEP, f"{name} looks at shorter periods than this program steps"
        assert self.period * self.periods <= (1440 if self.period < 60 else 7 * 1440), f"{name} looks too far back"

    def tells(self):
        """True if people are told when it goes off."""
        return self.properties.get("ActionsEnabled", True) and bool(self.properties.get("AlarmActions"))

    def series(self, metrics, now, count):
        """The last periods, the oldest first."""
        windows = [(now - (back + 1) * self.period, now - back * self.period) for back in reversed(range(count))]
        named = {}
        for query in self.metrics:
            stat = query["MetricStat"]
            key = (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], owner(stat["Metric"]))
            figure = stat.get("Stat") or stat.get("Statistic") or stat["ExtendedStatistic"]
            named[query["Id"]] = result = Series([metrics.figure(key, figure, window, now) for window in windows])
        for expression in self.expressions:
            result = eval(expression, {"__builtins__": {}, "FILL": fill, "IF": choose}, named)
        return result.values

    def evaluate(self, metrics, now, before, spare):
        """The state now. CloudWatch reads more periods than it was asked for, `spare` of them, and does not say how many."""
        points = self.series(metrics, now, self.periods + spare)
        return state(
            [None if point is None else self.breaches(point, self.threshold) for point in points],
            self.periods,
            self.enough,
            self.properties.get("TreatMissingData", "missing"),
            before,
        )


def state(points, periods, enough, missing, before):
    """An alarm's state by its points, the oldest first: True breaches, False does not, None is missing."""
    real = [point for point in points if point is not None]
    if len(real) >= periods:
        return ALARM if sum(real[-periods:]) >= enough else OK
    if missing in ("ignore", "missing") and not real:
        return before if missing == "ignore" else UNKNOWN
    assert missing in ("breaching", "notBreaching"), f"{missing} with some points is not known here"
    filled = periods - len(real) if missing == "breaching" else 0
    return ALARM if sum(real) + filled >= enough else OK


def check_rules():
    """The examples of AWS's page on missing data, three periods each: points, how many are enough, breaching, notBreaching."""
    examples = [
        ("0-X-X", 3, OK, OK),
        ("----0", 3, OK, OK),
        ("-----", 3, ALARM, OK),
        ("0XX-X", 3, ALARM, ALARM),
        ("--X--", 3, ALARM, OK),
        ("0-X-X", 2, ALARM, ALARM),
        ("00X0X", 2, ALARM, ALARM),
        ("0-X--", 2, ALARM, OK),
        ("----0", 2, ALARM, OK),
        ("----X", 2, ALARM, OK),
    ]
    for text, enough, breaching, not_breaching in examples:
        points = [{"-": None, "0": False, "X": True}[letter] for letter in text]
        for missing, wanted in (("breaching", breaching), ("notBreaching", not_breaching)):
            assert state(points, 3, enough, missing, OK) == wanted, f"{text}, {enough} of 3, {missing}"
    assert state([None] * 5, 1, 1, "ignore", ALARM) == ALARM
    assert state([None] * 5, 3, 3, "missing", OK) == UNKNOWN


def play(template, metrics, until, spare):
    """Evaluates all alarms up to this minute. Returns what people are told, as (minute, alarm, state), and the last states."""
    alarms = [Alarm(name, properties, template) for name, properties in template.of_type("AWS::CloudWatch::Alarm").items()]
    composites = template.of_type("AWS::CloudWatch::CompositeAlarm")
    states = {name: UNKNOWN for name in [*(alarm.name for alarm in alarms), *composites]}
    tells = {alarm.name: alarm.tells() for alarm in alarms}
    tells |= {name: bool(template.value(properties.get("AlarmActions"))) for name, properties in composites.items()}
    told = []
    for now in range(0, until, STEP):
        after = {alarm.name: alarm.evaluate(metrics, now, states[alarm.name], spare) for alarm in alarms}
        for name, properties in composites.items():
            after[name] = combined(properties["AlarmRule"]["Fn::Sub"], after)
        told += [(now, name, after[name]) for name in states if tells[name] and after[name] != states[name]]
        states = after
    return told, states


def combined(rule, states):
    """A composite alarm's state: terms such as ALARM(${Name}), joined by AND."""
    terms = rule.strip().split(" AND ")
    parsed = [re.fullmatch(r'(ALARM|OK|INSUFFICIENT_DATA)\("?\$\{(\w+)\}"?\)', term.strip()) for term in terms]
    assert all(parsed), f"{rule} is not known here"
    return ALARM if all(states[term[2]] == term[1] for term in parsed) else OK
