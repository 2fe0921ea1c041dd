using FastNN.Functions;

namespace FastNN.Testing;

/// <summary>One input of an <see cref="OpCase"/>: its shape and how its values are drawn.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Draw">Gives that many values; they are rounded to float, so that the double reference sees what the device
/// sees.</param>
internal sealed record OpInput(string Name, Shape Shape, Func<Random, int, double[]> Draw)
{
    /// <summary>Class indices.</summary>
    public bool IsInteger { get; init; }

    /// <summary>The type that the graph's input has.</summary>
    public DType Type { get => IsInteger ? DType.Int32 : field; init; } = DType.Float32;

    /// <summary>Whether a gradient is wanted.</summary>
    public bool IsDifferentiable { get; init; } = true;

    public double[] Values(int seed)
    {
        double[] values = Draw(new Random(seed), checked((int)Shape.Count));
        return Array.ConvertAll(values, value => (double)(float)value);
    }

    /// <summary>Uniform between two bounds.</summary>
    public static OpInput Uniform(string name, Shape shape, double low = -1, double high = 1) =>
        new(name, shape, (random, count) => Fill(count, _ => low + ((high - low) * random.NextDouble())));

    /// <summary>
    /// Magnitudes from 0.01 to <paramref name="high"/> of either sign: functions with a kink at 0 are smooth around each.
    /// </summary>
    public static OpInput AwayFromZero(string name, Shape shape, double high = 1) =>
        new(
            name, shape,
            (random, count) => Fill(count, _ => (0.01 + ((high - 0.01) * random.NextDouble())) * (random.Next(2) == 0 ? 1 : -1)));

    /// <summary>Uniform over an interval, away from its kinks.</summary>
    public static OpInput From(string name, Shape shape, Samples samples) => new(name, shape, (random, count) => Fill(count, _ =>
    {
        while (true)
        {
            double x = samples.From + (((double)samples.To - samples.From) * random.NextDouble());
            if (Array.TrueForAll(samples.Kinks, kink => Math.Abs(x - kink) >= Samples.Distance))
            {
                return x;
            }
        }
    }));

    /// <summary>
    /// All different and evenly spaced in [-1, 1], in random order: no two compete closely for a maximum, none is 0.
    /// </summary>
    public static OpInput Distinct(string name, Shape shape) => new(name, shape, (random, count) =>
    {
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle(order);
        return Array.ConvertAll(order, i => ((2.0 * i) + 1 - count) / count + (0.3 / count));
    });

    /// <summary>
    /// Class indices below <paramref name="classes"/>, every third replaced by <paramref name="ignored"/> if given.
    /// </summary>
    public static OpInput Classes(string name, Shape shape, int classes, int? ignored = null) =>
        new(name, shape, (random, count) => Fill(count, i => ignored is { } index && i % 3 == 1 ? index : random.Next(classes)))
        {
            IsInteger = true,
            IsDifferentiable = false,
        };

    /// <summary>Rows of positive numbers that sum to 1.</summary>
    public static OpInput Probabilities(string name, Shape shape) => new(name, shape, (random, count) =>
    {
        double[] values = Fill(count, _ => 0.05 + random.NextDouble());
        int classes = shape[-1];
        for (int row = 0; row < count; row += classes)
        {
            double sum = values.AsSpan(row, classes).ToArray().Sum();
            for (int i = 0; i < classes; i++)
            {
                values[row + i] /= sum;
            }
        }

        return values;
    });

    /// <summary>0 or 1, of another type than Float32.</summary>
    public static OpInput Bits(string name, Shape shape, DType type = DType.Bool) =>
        new(name, shape, (random, count) => Fill(count, _ => random.Next(2))) { Type = type, IsDifferentiable = false };

    /// <summary>Integers from low to high.</summary>
    public static OpInput Integers(string name, Shape shape, int low, int high, DType type) =>
        new(name, shape, (random, count) => Fill(count, _ => random.Next(low, high + 1)))
        {
            Type = type,
            IsDifferentiable = false
        };

    /// <summary>No gradient is wanted.</summary>
    public OpInput Constant() => this with { IsDifferentiable = false };

    private static double[] Fill(int count, Func<int, double> draw)
    {
        var values = new double[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = draw(i);
        }

        return values;
    }
}
