using System.Globalization;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// Where a parameter's first values come from. Every value is a function of (seed, the parameter's place in its model, its
/// index), so a model's first weights depend on neither device nor platform.
/// </summary>
public abstract class Initializer
{
    /// <summary>All zeros; the default for biases.</summary>
    public static Initializer Zeros { get; } = new ConstantInitializer(0);

    /// <summary>
    /// Glorot and Bengio's (2010) uniform rule: limit sqrt(6 / (fanIn + fanOut)). The default for weights, as in Keras.
    /// </summary>
    public static Initializer GlorotUniform { get; } = new ScaledInitializer(
        nameof(GlorotUniform), (fanIn, fanOut) => Math.Sqrt(2.0 / (fanIn + fanOut)), normal: false);

    /// <summary>Glorot and Bengio's (2010) normal rule: standard deviation sqrt(2 / (fanIn + fanOut)).</summary>
    public static Initializer GlorotNormal { get; } = new ScaledInitializer(
        nameof(GlorotNormal), (fanIn, fanOut) => Math.Sqrt(2.0 / (fanIn + fanOut)), normal: true);

    /// <summary>He et al.'s (2015) uniform rule for ReLU networks: limit sqrt(6 / fanIn).</summary>
    public static Initializer HeUniform { get; } = new ScaledInitializer(
        nameof(HeUniform), (fanIn, _) => Math.Sqrt(2.0 / fanIn), normal: false);

    /// <summary>He et al.'s (2015) normal rule for ReLU networks: standard deviation sqrt(2 / fanIn).</summary>
    public static Initializer HeNormal { get; } = new ScaledInitializer(
        nameof(HeNormal), (fanIn, _) => Math.Sqrt(2.0 / fanIn), normal: true);

    /// <summary>One value everywhere.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The initializer.</returns>
    public static Initializer Constant(float value) => new ConstantInitializer(value);

    /// <summary>Uniform in [low, high).</summary>
    /// <param name="low">Default -0.05 (Keras).</param>
    /// <param name="high">Default 0.05 (Keras).</param>
    /// <returns>The initializer.</returns>
    public static Initializer Uniform(float low = -0.05f, float high = 0.05f) => new UniformInitializer(low, high);

    /// <summary>Normal.</summary>
    /// <param name="mean">Default 0.</param>
    /// <param name="deviation">Standard deviation; default 0.05 (Keras).</param>
    /// <returns>The initializer.</returns>
    public static Initializer Normal(float mean = 0, float deviation = 0.05f) => new NormalInitializer(mean, deviation);

    /// <summary>Writes the first values of a parameter.</summary>
    /// <param name="values">One number per element.</param>
    /// <param name="shape">The parameter's shape; its last axis is the fan-out's, the product of those before the
    /// fan-in's.</param>
    /// <param name="seed">The model's seed.</param>
    /// <param name="number">The parameter's place in its model.</param>
    public abstract void Fill(Span<float> values, Shape shape, ulong seed, uint number);

    /// <summary>
    /// The rule with its numbers, as model files keep it: "HeNormal", "Uniform(-0.1, 0.1)"; null for a rule of the user's own.
    /// </summary>
    internal virtual string? Text => null;

    /// <summary>The rule with its numbers.</summary>
    public override string ToString() => Text ?? GetType().Name;

    private static string Describe(string rule, params ReadOnlySpan<float> numbers) =>
        $"{rule}({string.Join(", ", Array.ConvertAll(numbers.ToArray(), number => number.ToString("R", CultureInfo.InvariantCulture)))})";

    private sealed class ConstantInitializer(float value) : Initializer
    {
        internal override string Text => Describe(nameof(Constant), value);

        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number) => values.Fill(value);
    }

    private sealed class UniformInitializer(float low, float high) : Initializer
    {
        internal override string Text => Describe(nameof(Uniform), low, high);

        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number)
        {
            Philox.FillUniform(values, seed, Philox.Stream(RandomUse.Weights, number));
            foreach (ref float value in values)
            {
                value = low + ((high - low) * value);
            }
        }
    }

    private sealed class NormalInitializer(float mean, float deviation) : Initializer
    {
        internal override string Text => Describe(nameof(Normal), mean, deviation);

        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number)
        {
            Philox.FillNormal(values, seed, Philox.Stream(RandomUse.Weights, number));
            foreach (ref float value in values)
            {
                value = mean + (deviation * value);
            }
        }
    }

    /// <summary>
    /// A normal or uniform whose standard deviation follows from the fans; a uniform of limit l has deviation l / sqrt(3).
    /// </summary>
    private sealed class ScaledInitializer(string rule, Func<double, double, double> deviation, bool normal) : Initializer
    {
        internal override string Text => rule;

        public override void Fill(Span<float> values, Shape shape, ulong seed, uint number)
        {
            // [in, out] for dense weights and [KH, KW, C, OC] for filters, where both fans count the window's taps.
            double taps = shape.Rank > 2 ? shape.Product(0, shape.Rank - 2) : 1;
            double fanIn = shape.Rank > 1 ? taps * shape[-2] : shape.Count;
            double fanOut = shape.Rank > 1 ? taps * shape[-1] : shape.Count;
            double wanted = deviation(Math.Max(fanIn, 1), Math.Max(fanOut, 1));
            var limit = (float)(Math.Sqrt(3) * wanted);
            Initializer draw = normal ? new NormalInitializer(0, (float)wanted) : new UniformInitializer(-limit, limit);
            draw.Fill(values, shape, seed, number);
        }
    }
}
