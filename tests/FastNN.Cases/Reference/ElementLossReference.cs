using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>Losses of single elements and their derivatives by definition, in double.</summary>
internal static class ElementLossReference
{
    private static readonly Dictionary<string, Definition> Definitions = new()
    {
        [nameof(SquaredError)] = new((x, t, p, s) => (x - t) * (x - t), (x, t, p, s) => 2 * (x - t)),
        [nameof(AbsoluteError)] = new((x, t, p, s) => Math.Abs(x - t), (x, t, p, s) => Math.Sign(x - t)),
        [nameof(HuberError)] = new((x, t, p, s) => Huber(x - t, s.First), (x, t, p, s) => Math.Clamp(x - t, -s.First, s.First)),
        [nameof(SmoothAbsoluteError)] = new(
            (x, t, p, s) => Huber(x - t, s.First) / s.First, (x, t, p, s) => Math.Clamp((x - t) / s.First, -1, 1)),
        [nameof(HingeError)] = new(
            (x, t, p, s) => t > 0 ? x : Math.Max(0, s.First - x), (x, t, p, s) => t > 0 ? 1 : x < s.First ? -1 : 0),
        [nameof(Divergence)] = new((x, t, p, s) => t == 0 ? 0 : t * (Math.Log(t) - x), (x, t, p, s) => -t),
        [nameof(LogDivergence)] = new((x, t, p, s) => Math.Exp(t) * (t - x), (x, t, p, s) => -Math.Exp(t)),
        [nameof(ProbabilityLoss)] = new(
            (x, t, p, s) => -((t * Math.Max(-100, Math.Log(x))) + ((1 - t) * Math.Max(-100, Math.Log(1 - x)))),
            (x, t, p, s) => (x - t) / Math.Max(x * (1 - x), 1e-12)),
        [nameof(LogitLoss)] = new((x, t, p, s) => Logits(x, t, 1), (x, t, p, s) => LogitsSlope(x, t, 1)),
        [nameof(MarginError)] = new(
            (x, t, p, s) => Math.Max(0, s.First - (t * x)), (x, t, p, s) => t * x <= s.First ? -t : 0),
        [nameof(CosineError)] = new(
            (x, t, p, s) => t > 0 ? 1 - x : Math.Max(0, x - s.First), (x, t, p, s) => t > 0 ? -1 : x >= s.First ? 1 : 0),
        [nameof(FocalError)] = new(Focal, FocalSlope),
        [nameof(LogPoissonError)] = new(
            (x, t, p, s) => Math.Exp(x) - (t * x) + (s.First * Stirling(t)), (x, t, p, s) => Math.Exp(x) - t),
        [nameof(PoissonError)] = new(
            (x, t, p, s) => x - (t * Math.Log(x + s.Second)) + (s.First * Stirling(t)), (x, t, p, s) => 1 - (t / (x + s.Second))),
        [nameof(WeightedLogitLoss)] = new((x, t, p, s) => Logits(x, t, p), (x, t, p, s) => LogitsSlope(x, t, p)),
    };

    private delegate double Term(double x, double target, double positiveWeight, Scalars scalars);

    public static double Value(LossFunction loss, Scalars scalars, double x, double target, double positiveWeight) =>
        Of(loss).Value(x, target, positiveWeight, scalars);

    public static double Slope(LossFunction loss, Scalars scalars, double x, double target, double positiveWeight) =>
        Of(loss).Slope(x, target, positiveWeight, scalars);

    private static Definition Of(LossFunction loss) => Definitions.TryGetValue(loss.TextName, out Definition? definition)
        ? definition
        : throw new NotSupportedException(
            $"{nameof(ElementLossReference)}: the loss {loss.TextName} has no definition in double.");

    private static double Focal(double x, double t, double p, Scalars s)
    {
        double yes = 1 / (1 + Math.Exp(-x)), q = (yes * (1 - t)) + ((1 - yes) * t);
        return ((s.Second * t) + (s.Third * (1 - t))) * Math.Pow(q, s.First) * Logits(x, t, 1);
    }

    private static double FocalSlope(double x, double t, double p, Scalars s)
    {
        double yes = 1 / (1 + Math.Exp(-x)), q = (yes * (1 - t)) + ((1 - yes) * t), dQ = yes * (1 - yes) * (1 - (2 * t));
        return ((s.Second * t) + (s.Third * (1 - t)))
            * ((Math.Pow(q, s.First) * LogitsSlope(x, t, 1)) + (s.First * Math.Pow(q, s.First - 1) * dQ * Logits(x, t, 1)));
    }

    private static double Stirling(double t) => t > 1 ? (t * Math.Log(t)) - t + (0.5 * Math.Log(2 * Math.PI * t)) : 0;

    private static double Huber(double error, double delta) =>
        Math.Abs(error) < delta ? 0.5 * error * error : delta * (Math.Abs(error) - (0.5 * delta));

    private static double Logits(double x, double t, double p) => (p * t * SoftPlus(-x)) + ((1 - t) * SoftPlus(x));

    private static double LogitsSlope(double x, double t, double p) =>
        ((1 - t) / (1 + Math.Exp(-x))) - (p * t / (1 + Math.Exp(x)));

    private static double SoftPlus(double x) => x > 0 ? x + LogOnePlus(Math.Exp(-x)) : LogOnePlus(Math.Exp(x));

    private static double LogOnePlus(double u) => u < 1e-5 ? u - (u * u / 2) + (u * u * u / 3) : Math.Log(1 + u);

    private sealed record Definition(Term Value, Term Slope);
}
