namespace FastNN.Optimizers;

/// <summary>
/// A step's length that satisfies the strong Wolfe conditions: the loss falls enough for its slope, and the slope has become flat
/// enough. A bracket is found by steps of growing length and then narrowed by cubic interpolation (Nocedal and Wright, Numerical
/// Optimization, algorithms 3.5 and 3.6), with the constants of PyTorch's L-BFGS.
/// </summary>
internal sealed class StrongWolfe(double[] start, double[] direction, Lbfgs.Evaluation evaluate, int most)
{
    private const double Decrease = 1e-4;
    private const double Flatness = 0.9;
    private const double SmallestBracket = 1e-9;
    private const int MaxSteps = 25;

    private readonly double[] _at = new double[start.Length];

    public int Evaluations { get; private set; }

    /// <summary>The search.</summary>
    /// <param name="length">The first length that is tried.</param>
    /// <param name="loss">At length 0.</param>
    /// <param name="gradient">Likewise.</param>
    /// <param name="slope">Likewise, along the direction; below 0.</param>
    public (double Loss, double[] Gradient, double Length) Run(double length, double loss, double[] gradient, double slope)
    {
        var origin = new Point(0, loss, gradient, slope);
        Point before = origin, point = Try(length);
        (Point Low, Point High)? bracket = null;
        int steps = 0;
        for (; steps < MaxSteps && bracket is null && Evaluations < most; steps++)
        {
            bool falls = FallsEnough(point, origin) && (steps <= 1 || point.Loss < before.Loss);
            if (falls && IsFlat(point, origin))
            {
                return (point.Loss, point.Gradient, point.Length);
            }

            if (!falls || point.Slope >= 0)
            {
                bracket = (before, point);
            }
            else
            {
                double next = Interpolated(
                    before, point, point.Length + (0.01 * (point.Length - before.Length)), 10 * point.Length);
                (before, point) = (point, Try(next));
            }
        }

        (Point low, Point high) = bracket ?? (origin, point);
        Point best = Narrow(low, high, origin, steps);
        return (best.Loss, best.Gradient, best.Length);
    }

    private Point Narrow(Point first, Point second, Point origin, int steps)
    {
        (Point low, Point high) = first.Loss <= second.Loss ? (first, second) : (second, first);
        double size = direction.Max(Math.Abs);
        bool isStuck = false;
        for (; steps < MaxSteps && Evaluations < most; steps++)
        {
            double least = Math.Min(low.Length, high.Length), largest = Math.Max(low.Length, high.Length);
            if ((largest - least) * size < SmallestBracket)
            {
                break;
            }

            // A length near an end of the bracket twice in a row would narrow it too slowly.
            double length = Interpolated(low, high, least, largest), edge = 0.1 * (largest - least);
            bool isNear = Math.Min(largest - length, length - least) < edge;
            if (isNear && (isStuck || length >= largest || length <= least))
            {
                length = largest - length < length - least ? largest - edge : least + edge;
                isNear = false;
            }

            isStuck = isNear;
            Point point = Try(length);
            if (!FallsEnough(point, origin) || point.Loss >= low.Loss)
            {
                high = point;
                (low, high) = low.Loss <= high.Loss ? (low, high) : (high, low);
                continue;
            }

            if (IsFlat(point, origin))
            {
                return point;
            }

            high = point.Slope * (high.Length - low.Length) >= 0 ? low : high;
            low = point;
        }

        return low;
    }

    private static bool FallsEnough(Point point, Point origin) =>
        point.Loss <= origin.Loss + (Decrease * point.Length * origin.Slope);

    private static bool IsFlat(Point point, Point origin) => Math.Abs(point.Slope) <= -Flatness * origin.Slope;

    /// <summary>Where the cubic through two points with their slopes is least, between bounds.</summary>
    private static double Interpolated(Point a, Point b, double least, double largest)
    {
        (Point first, Point second) = a.Length <= b.Length ? (a, b) : (b, a);
        double chord = first.Slope + second.Slope
            - (3 * (first.Loss - second.Loss) / (first.Length - second.Length));
        double root = Math.Sqrt((chord * chord) - (first.Slope * second.Slope));
        double length = second.Length - ((second.Length - first.Length)
            * ((second.Slope + root - chord) / (second.Slope - first.Slope + (2 * root))));
        return double.IsFinite(length) ? Math.Clamp(length, least, largest) : (least + largest) / 2;
    }

    private Point Try(double length)
    {
        for (int i = 0; i < _at.Length; i++)
        {
            _at[i] = start[i] + (length * direction[i]);
        }

        var gradient = new double[_at.Length];
        double loss = evaluate(_at, gradient), slope = 0;
        for (int i = 0; i < gradient.Length; i++)
        {
            slope += gradient[i] * direction[i];
        }

        Evaluations++;

        // What is not a number is too far away.
        return double.IsFinite(loss) && double.IsFinite(slope)
            ? new Point(length, loss, gradient, slope)
            : new Point(length, double.PositiveInfinity, gradient, 0);
    }

    private sealed record Point(double Length, double Loss, double[] Gradient, double Slope);
}
