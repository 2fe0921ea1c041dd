using System.Globalization;

namespace FastNN.Testing;

/// <summary>An argument that is replaced by another.</summary>
/// <param name="Argument">Its number.</param>
/// <param name="Value">What takes its place.</param>
internal sealed record Mutation(int Argument, object? Value)
{
    public override string ToString() => $"argument {Argument} = {Text(Value)}";

    /// <summary>An argument as a message shows it.</summary>
    public static string Text(object? value) => value switch
    {
        null => "null",
        string text => $"'{text}'",
        Array values => $"[{string.Join(", ", values.Cast<object?>().Select(Text))}]",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    /// <summary>All replacements of one argument.</summary>
    /// <param name="argument">Its number.</param>
    /// <param name="type">Its declared type.</param>
    /// <param name="value">What it is.</param>
    public static IEnumerable<Mutation> Of(int argument, Type type, object? value) =>
        Values(type, value).Where(other => !Equals(other, value)).Select(other => new Mutation(argument, other));

    private static IEnumerable<object?> Values(Type type, object? value)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return [null, .. Values(inner, value ?? Default(inner))];
        }

        return value switch
        {
            CallInput operand => Operands(operand),
            CallLayer => [null, new CallLayer(() => new Flatten())],
            CallLayer[] layers => Lists(layers, _ => [null!]),
            CallInput[] operands => Lists(operands, operand => Operands(operand).Cast<CallInput>()),
            null when type == typeof(Value) =>
                [CallInput.F(), CallInput.F(7), CallInput.F(2, 3), CallInput.F(2, 3, 4), CallInput.I(2), CallInput.B(2, 3, 4, 1)],
            int number => Integers(number).Cast<object?>(),
            long number => new object?[] { 0L, -1L, 1L, number + 1, long.MaxValue, long.MinValue },
            float number => Floats(number).Select(other => (object?)(float)other),
            double number => Floats(number).Cast<object?>(),
            bool truth => new object?[] { !truth },
            string text => new object?[] { null, "", "->", text + "x", "..." },
            int[] numbers => Lists(numbers, Integers),
            long[] numbers => Lists(numbers, number => new[] { 0L, -1L, number + 1, long.MaxValue }),
            double[] numbers => Lists(numbers, Floats),
            float[] numbers => Lists(numbers, number => Floats(number).Select(other => (float)other)),
            Shape shape => Shapes(shape).Cast<object?>(),
            Enum => Enum.GetValues(type).Cast<object?>().Concat([Enum.ToObject(type, 99), Enum.ToObject(type, -1)]),
            Padding1D padding => Paddings([padding.Left, padding.Right], p => Padding1D.Explicit(p[0], p[1]), Padding1D.Same),
            Padding2D p => Paddings(
                [p.Top, p.Bottom, p.Left, p.Right], p => Padding2D.Explicit(p[0], p[1], p[2], p[3]), Padding2D.Same),
            Padding3D p => Paddings(
                [p.Front, p.Back, p.Top, p.Bottom, p.Left, p.Right],
                p => Padding3D.Explicit(p[0], p[1], p[2], p[3], p[4], p[5]), Padding3D.Same),
            Size2D size => Integers(size.Rows).Select(n => (object?)(size with { Rows = n }))
                .Concat(Integers(size.Columns).Select(n => (object?)(size with { Columns = n })))
                .Append(new Size2D(1 << 20, 1 << 20)),
            Size3D size => Integers(size.Planes).Select(n => (object?)(size with { Planes = n }))
                .Concat(Integers(size.Rows).Select(n => (object?)(size with { Rows = n })))
                .Concat(Integers(size.Columns).Select(n => (object?)(size with { Columns = n })))
                .Append(new Size3D(1 << 20, 1 << 20, 1 << 20)),
            Activation => [Activation.None, Activation.ReLU, Activation.Tanh],
            null => [],
            _ => type.IsValueType ? [] : [null],
        };
    }

    private static object Default(Type type) =>
        type == typeof(int) ? 1 : type == typeof(float) ? 1f : type == typeof(Size2D) ? new Size2D(1, 1)
        : type == typeof(Size3D) ? new Size3D(1, 1, 1) : Activator.CreateInstance(type)!;

    private static IEnumerable<int> Integers(int number) =>
        [0, 1, -1, number + 1, number - 1, -7, 1 << 16, 1 << 20, int.MaxValue, int.MinValue, int.MinValue + 0x10000];

    private static IEnumerable<double> Floats(double number) =>
        [0, 1, -1, -number, number * 1.5, 1e30, -1e30, double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    private static IEnumerable<object?> Paddings<T>(int[] numbers, Func<int[], T> make, T same) =>
        Lists(numbers, Integers).OfType<int[]>().Where(list => list.Length == numbers.Length)
            .Select(list => (object?)make(list)).Append(same);

    private static IEnumerable<object?> Lists<T>(T[] values, Func<T, IEnumerable<T>> replace)
    {
        yield return Array.Empty<T>();
        if (values.Length > 0)
        {
            yield return values[1..];
            yield return (T[])[.. values, values[0]];
            yield return (T[])[.. Enumerable.Repeat(values[0], 9)];
        }

        for (int i = 0; i < values.Length; i++)
        {
            foreach (T other in replace(values[i]))
            {
                var changed = (T[])values.Clone();
                changed[i] = other;
                yield return changed;
            }
        }
    }

    private static IEnumerable<object?> Operands(CallInput operand) =>
        Shapes(operand.Shape).Select(shape => (object?)(operand with { Shape = shape })).Concat(
            new[] { DType.Float32, DType.Int32, DType.Bool, DType.Int64, DType.Float16, DType.UInt8 }
                .Select(type => (object?)(operand with { Type = type })));

    /// <summary>
    /// One axis less and one more, none and nine, each extent 0, one more, and so large that the elements are just as many as a
    /// tensor may have or 2^40, and extents whose product overflows although there is no element.
    /// </summary>
    private static IEnumerable<Shape> Shapes(Shape shape)
    {
        int[] extents = shape.ToArray();
        yield return default;
        yield return new Shape(3);
        yield return new Shape(1, 1, 1, 1, 1, 1, 1, 1);
        if (extents.Length < Shape.MaxRank)
        {
            yield return new Shape([.. extents, 1]);
            yield return new Shape([2, .. extents]);
        }

        if (extents.Length > 0)
        {
            yield return new Shape(extents.AsSpan(1));
            yield return new Shape(extents.AsSpan(0, extents.Length - 1));
        }

        if (extents.Length > 0)
        {
            int[] huge = [.. Enumerable.Repeat(1, extents.Length)];
            huge.AsSpan(0, Math.Min(3, huge.Length)).Fill(1 << 18);
            huge[0] = Dim.Batch;
            huge[^1] = extents[^1];
            yield return huge;
        }

        for (int i = 0; i < extents.Length; i++)
        {
            long others = 1;
            for (int j = 0; j < extents.Length; j++)
            {
                others *= i == j ? 1 : Math.Max(extents[j], 1);
            }

            yield return With(extents, i, 0);
            yield return With(extents, i, 1);
            yield return With(extents, i, extents[i] + 1);
            yield return With(extents, i, (int)(int.MaxValue / others));
            yield return With(extents, i, Dim.Batch);
            if (extents.Length > 1)
            {
                int[] none = [.. Enumerable.Repeat(1, extents.Length)];
                none[(i + 2) % none.Length] = 500;
                none[(i + 1) % none.Length] = int.MaxValue;
                none[i] = 0;
                yield return none;
            }
        }
    }

    private static Shape With(int[] extents, int axis, int extent)
    {
        int[] changed = [.. extents];
        changed[axis] = extent;
        return changed;
    }
}
