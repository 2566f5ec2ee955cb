"""The law that figures follow as n grows: a power c·nᵏ and a line a + b·n, each by least squares; the nearer one is told.

The power is fitted to the logarithms, so that each point counts by its relative error. The line is fitted with weights 1/y², which is
the same measure: without weights the largest n would decide it alone. Nearer is the one whose root mean square of (law − figure)/figure
is less. A law is known within the range in which it was measured; everything beyond is extrapolated, and `Law.says` tells which it is.
"""
import math

WORTH_TELLING = 0.25  # a law that is further off in the mean says nothing beyond its range


class NoLaw(Exception):
    """The points do not make a law: fewer than three, or a figure that is not above 0."""


def least_squares(xs, ys, weights):
    """(a, b) of a + b·x with the least sum of weight·(a + b·x − y)²."""
    total = math.fsum(weights)
    mean_x = math.fsum(w * x for w, x in zip(weights, xs)) / total
    mean_y = math.fsum(w * y for w, y in zip(weights, ys)) / total
    spread = math.fsum(w * (x - mean_x) ** 2 for w, x in zip(weights, xs))
    slope = math.fsum(w * (x - mean_x) * (y - mean_y) for w, x, y in zip(weights, xs, ys)) / spread
    return mean_y - slope * mean_x, slope


def explained(said, seen, weights):
    """R²: the share of the (weighted) variance of `seen` that `said` explains; None where there is no variance to explain."""
    mean = math.fsum(w * y for w, y in zip(weights, seen)) / math.fsum(weights)
    variance = math.fsum(w * (y - mean) ** 2 for w, y in zip(weights, seen))
    scale = math.fsum(w * y * y for w, y in zip(weights, seen))
    if variance <= 1e-18 * scale:
        return None
    return 1 - math.fsum(w * (f - y) ** 2 for w, f, y in zip(weights, said, seen)) / variance


class Law:
    """`form` is "power" (first·n^second) or "line" (first + second·n)."""

    def __init__(self, form, first, second, points):
        self.form, self.first, self.second = form, first, second
        self.least, self.most = points[0][0], points[-1][0]
        self.residuals = [self.at(n) / y - 1 for n, y in points]  # relative, in the order of n
        self.error = math.sqrt(math.fsum(r * r for r in self.residuals) / len(points))
        if form == "power":
            logs = [math.log(y) for _, y in points]
            self.r_squared = explained([y + math.log1p(r) for y, r in zip(logs, self.residuals)], logs, [1.0] * len(points))
        else:
            self.r_squared = explained([self.at(n) for n, _ in points], [y for _, y in points], [1 / (y * y) for _, y in points])

    def at(self, n):
        return self.first * n ** self.second if self.form == "power" else self.first + self.second * n

    def says(self, n):
        """(value, whether it is extrapolated)."""
        return self.at(n), not self.least <= n <= self.most


def checked(points):
    """The points in the order of n, as floats."""
    ordered = sorted((float(n), float(y)) for n, y in points)
    if len({n for n, _ in ordered}) != len(ordered):
        raise NoLaw("an n is there twice")
    if len(ordered) < 3:
        raise NoLaw(f"{len(ordered)} points, a law needs 3")
    if not all(math.isfinite(n) and math.isfinite(y) and n > 0 and y > 0 for n, y in ordered):
        raise NoLaw("an n or a figure is not above 0")
    return ordered


def power(points):
    ordered = checked(points)
    ones = [1.0] * len(ordered)
    logarithm, exponent = least_squares([math.log(n) for n, _ in ordered], [math.log(y) for _, y in ordered], ones)
    return Law("power", math.exp(logarithm), exponent, ordered)


def line(points):
    ordered = checked(points)
    first, slope = least_squares([n for n, _ in ordered], [y for _, y in ordered], [1 / (y * y) for _, y in ordered])
    return Law("line", first, slope, ordered)


def fit(points):
    """The law nearer to the points [(n, figure), …]; (law, the other one). Raises NoLaw."""
    both = sorted((power(points), line(points)), key=lambda one: one.error)
    return both[0], both[1]


def crossing(falling, rising, least=1.0, most=1e12):
    """The least n from which on `falling` is below `rising` up to `most`; None when it is not below there. Both are laws of one figure."""
    def is_below(n):
        return falling.at(n) < rising.at(n)
    if not is_below(most):
        return None
    low, high = math.log(least), math.log(most)
    steps = 2400
    grid = [low + (high - low) * i / steps for i in range(steps + 1)]
    above = [i for i, x in enumerate(grid) if not is_below(math.exp(x))]
    if not above:
        return least
    low, high = grid[above[-1]], grid[above[-1] + 1]
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if is_below(math.exp(middle)) else (middle, high)
    return math.exp(high)
