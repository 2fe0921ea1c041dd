namespace FastNN.Testing;

internal sealed class CastCases : IOpCases
{
    private static readonly DType[] Floats = [DType.Float32, DType.Float16, DType.BFloat16, DType.Float64];

    /// <summary>There and back: what a type holds of numbers that it can hold exactly, through every pair of types.</summary>
    public static IEnumerable<OpCase> Cases =>
    [
        .. from type in DTypes.All.ToArray() from size in new[] { 1, 7, 129, 70001 } where size < 1000
            || type != DType.Float64 select Whole(type, size),
        .. from first in DTypes.All.ToArray() from second in DTypes.All.ToArray() where first != second
            && second != DType.Float32 select Pair(first, second),
        .. from type in Floats where type != DType.Float32 select Gradient(type),
        .. from type in Floats select SeveralConsumers(type),
        Extremes(DType.Int8, 0, 127, -128, 127, -128, 127, -128, 2, -2, 0, 0),
        Extremes(DType.UInt8, 0, 255, 0, 255, 0, 255, 0, 2, 0, 0, 0),
        Extremes(DType.Int32, 0, int.MaxValue, int.MinValue, int.MaxValue, int.MinValue, 300, -300, 2, -2, 0, 0),
        Extremes(DType.Int64, 0, long.MaxValue, long.MinValue, 1e10, -1e10, 300, -300, 2, -2, 0, 0),
        Extremes(DType.Bool, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0),
    ];

    /// <summary>0 to 100 as the type holds them, and a float of that.</summary>
    private static OpCase Whole(DType type, int size) => new(
        $"{type} of {size} to Float32", [OpInput.Integers("x", new Shape(size), 0, 100, Given(type))],
        values => values[0].Cast(type).Cast(DType.Float32),
        values => Array.ConvertAll(values[0], x => type == DType.Bool && x != 0 ? 1 : x));

    private static OpCase Pair(DType first, DType second) => new(
        $"{first} to {second}", [OpInput.Integers("x", new Shape(37), 0, 100, Given(first))],
        values => values[0].Cast(first).Cast(second).Cast(DType.Float32),
        values => Array.ConvertAll(values[0], x => (first == DType.Bool || second == DType.Bool) && x != 0 ? 1 : x));

    /// <summary>Gradients take the way back; multiples of 1/8 are exact in every type.</summary>
    private static OpCase Gradient(DType type)
    {
        var eighths = new OpInput("x", new Shape(3, 13), (random, count) =>
            [.. Enumerable.Range(0, count).Select(_ => random.Next(-16, 17) / 8.0)]);
        return new OpCase(
            $"gradient through {type}", [eighths], values => values[0].Cast(type).Cast(DType.Float32), values => [.. values[0]])
        {
            ReferenceBackward = (_, dY) => [[.. dY]],
        };
    }

    /// <summary>Whatever moves a value of any type adds to the gradient that others have begun.</summary>
    private static OpCase SeveralConsumers(DType type)
    {
        var eighths = new OpInput("x", new Shape(3, 14), (random, count) =>
            [.. Enumerable.Range(0, count).Select(_ => random.Next(-16, 17) / 8.0)]);
        return new OpCase(
            $"gradients of several consumers of {type}", [eighths], Build, values => Array.ConvertAll(values[0], x => 7 * x))
        {
            ReferenceBackward = (_, dY) => [Array.ConvertAll(dY, d => 7 * d)],
        };

        Value Build(Value[] values)
        {
            Value x = values[0].Cast(type);
            Value[] halves = x.Split(1, 7, 7);
            return x.Cast(DType.Float32)
                + x.Reshape([14, 3]).Cast(DType.Float32).Reshape([3, 14])
                + x.Transpose().Cast(DType.Float32).Transpose()
                + ShapeOperators.Where(x.Cast(DType.Bool), x, x).Cast(DType.Float32)
                + Operators.Concat(1, halves[0], halves[1]).Cast(DType.Float32)
                + Operators.Concat(0, x.Slice(0, stop: 1), x.Slice(0, start: 1)).Cast(DType.Float32)
                + Operators.Concat(0, x, x).Slice(0, start: 3).Cast(DType.Float32);
        }
    }

    /// <summary>Where C leaves a conversion undefined, every device takes the end of the range, and 0 for NaN.</summary>
    private static OpCase Extremes(DType type, params double[] expected)
    {
        double[] given = [
            double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e10, -1e10, 300.7, -300.7, 2.9, -2.9, 0.5, -0.0];
        return new OpCase(
            $"floats outside the range of {type}",
            [new OpInput("x", new Shape(given.Length), (_, _) => given) { IsDifferentiable = false }],
            values => values[0].Cast(type).Cast(DType.Float32), _ => expected);
    }

    /// <summary>The type of an input that holds such numbers: bfloat16 is made of a float.</summary>
    private static DType Given(DType type) => type is DType.BFloat16 or DType.Bool ? DType.Float32 : type;
}
