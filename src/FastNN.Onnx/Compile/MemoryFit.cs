namespace FastNN.Onnx.Compile;

/// <summary>
/// Finds the formula of plans' bytes: a polynomial through the plans of small extents, others through those of larger ones, and
/// their maximum, held against further plans. Plans place buffers one above the other, so that the largest of several stacks,
/// each a sum of products of extents, decides; the formula changes where another stack becomes the largest.
/// </summary>
internal sealed class MemoryFit
{
    private const int MaxStep = 32, MaxSymbols = 4, Refinements = 4;

    // Where, in steps, the points begin: in every combination up to two symbols, and up to three at once.
    private static readonly int[] Bases = [1, 6];

    private readonly Func<int[], long?> _peakOf;
    private readonly int _symbols;
    private readonly List<(int[] Extents, long? Peak)> _plans = [];

    private MemoryFit(int symbols, Func<int[], long?> peakOf) => (_symbols, _peakOf) = (symbols, peakOf);

    /// <summary>The formula; null where the model takes no three multiples of a number.</summary>
    /// <param name="symbols">Their names.</param>
    /// <param name="peakOf">A plan's bytes for an extent of each symbol; null where there is none.</param>
    public static OnnxMemoryPlan? Of(string[] symbols, Func<int[], long?> peakOf)
    {
        if (symbols.Length > MaxSymbols)
        {
            throw new OnnxException(
                $"OnnxSession: expected at most {MaxSymbols} symbols to plan memory by, got {string.Join(", ", symbols)}; "
                + "PlanMemory takes values for inputs.");
        }

        var fit = new MemoryFit(symbols.Length, peakOf);
        if (fit.Steps() is not { } steps)
        {
            return null;
        }

        // Where the formula changes among the first points, finer ones have some on either side.
        OnnxMemoryPlan? coarse = null;
        for (int i = 0; i < Refinements; i++)
        {
            OnnxMemoryPlan? plan = fit.Of(symbols, Array.ConvertAll(steps, step => Math.Max(1, step >> i)));
            if (plan is { IsExact: true })
            {
                return plan;
            }

            coarse ??= plan;
        }

        return coarse;
    }

    private OnnxMemoryPlan? Of(string[] symbols, int[] steps)
    {
        var found = new List<MemoryPolynomial>();
        foreach (int[] bases in Beginnings())
        {
            int[] first = [.. bases.Zip(steps, (at, step) => at * step)];
            int[] next = [.. first.Zip(steps, (at, step) => at + (MemoryPolynomial.Points * step))];

            // A fourth point along each axis, since any three have a polynomial.
            if (Through(first, steps) is { } polynomial && (Peak(next) is not { } peak || polynomial.Gives(next, peak)))
            {
                found.Add(polynomial);
            }
        }

        if (found.Count == 0)
        {
            return Through(steps, steps) is { } rough ? new OnnxMemoryPlan(symbols, steps, [rough], isExact: false) : null;
        }

        // Beside the points that the formula goes through.
        Peak([.. steps.Select((step, axis) => step * (9 + (axis % 2)))]);
        Peak([.. steps.Select((step, axis) => step * (axis == 0 ? 12 : 1))]);
        Peak([.. steps.Select((step, axis) => step * (axis == 0 ? 1 : 4))]);
        (int[] Extents, long? Peak)[] plans = [.. _plans.Where(plan => IsMultiple(plan.Extents, steps) && plan.Peak is not null)];

        // A piece that exceeds a plan belongs to points on both sides of a change.
        var pieces = new List<MemoryPolynomial>();
        foreach (MemoryPolynomial piece in found.Where(
            piece => plans.All(plan => piece.At(plan.Extents) < plan.Peak + MemoryPolynomial.Rounding)))
        {
            if (!pieces.Exists(other => other.ToString(symbols) == piece.ToString(symbols)))
            {
                pieces.Add(piece);
            }
        }

        bool isExact = plans.All(plan => pieces.Exists(piece => piece.Gives(plan.Extents, plan.Peak!.Value)));
        return new OnnxMemoryPlan(symbols, steps, pieces.Count > 0 ? [.. pieces] : [found[0]], isExact);
    }

    /// <summary>
    /// For each symbol the largest power of 2, to where even buffers of single floats fill an alignment, of which the model takes
    /// the first three multiples.
    /// </summary>
    private int[]? Steps()
    {
        for (int step = MaxStep; step > 0; step /= 2)
        {
            int[] steps = [.. Enumerable.Repeat(step, _symbols)];
            if (Takes(steps))
            {
                for (int axis = 0; axis < _symbols && step < MaxStep; axis++)
                {
                    for (int larger = MaxStep; larger > step; larger /= 2)
                    {
                        int[] tried = [.. steps];
                        tried[axis] = larger;
                        if (Takes(tried))
                        {
                            steps = tried;
                            break;
                        }
                    }
                }

                return steps;
            }
        }

        return null;
    }

    private bool Takes(int[] steps) => Enumerable.Range(1, MemoryPolynomial.Points)
        .All(factor => Peak(Array.ConvertAll(steps, step => step * factor)) is not null);

    /// <summary>Where the grids of points begin, in steps of each symbol.</summary>
    private IEnumerable<int[]> Beginnings()
    {
        if (_symbols == 2)
        {
            return from first in Bases from second in Bases select new[] { first, second };
        }

        return Bases.Take(_symbols is 1 or 3 ? Bases.Length : 1).Select(at => Enumerable.Repeat(at, _symbols).ToArray());
    }

    /// <summary>The polynomial through the grid of points that begins there; null where a point has no plan.</summary>
    private MemoryPolynomial? Through(int[] first, int[] steps)
    {
        var values = new long[(int)Math.Pow(MemoryPolynomial.Points, _symbols)];
        for (int i = 0; i < values.Length; i++)
        {
            int rest = i;
            int[] extents = [.. first];
            for (int axis = _symbols - 1; axis >= 0; axis--, rest /= MemoryPolynomial.Points)
            {
                extents[axis] += rest % MemoryPolynomial.Points * steps[axis];
            }

            if (Peak(extents) is not { } peak)
            {
                return null;
            }

            values[i] = peak;
        }

        return MemoryPolynomial.Through(values, first, steps);
    }

    private long? Peak(int[] extents)
    {
        foreach ((int[] known, long? peak) in _plans)
        {
            if (known.AsSpan().SequenceEqual(extents))
            {
                return peak;
            }
        }

        long? found = _peakOf(extents);
        _plans.Add((extents, found));
        return found;
    }

    private static bool IsMultiple(int[] extents, int[] steps) =>
        !extents.Where((extent, axis) => extent % steps[axis] != 0).Any();
}
