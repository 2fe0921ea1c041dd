using FastNN.Kernels;

namespace FastNN.Testing;

/// <summary>Compares what a device computed of an <see cref="OpCase"/> with its reference.</summary>
internal static class OpChecks
{
    /// <summary>Runs a case on a device and compares its output and every gradient.</summary>
    public static Closeness Run(OpCase @case, IDevice device)
    {
        using OpRun run = @case.Compile(device);
        run.Run();
        var found = new Closeness();
        Reference(@case, run.Results, "", found, differencesElsewhere: true);
        return found;
    }

    /// <summary>The output, and the gradients of which the reference has a formula.</summary>
    /// <param name="results">The output, then the gradients.</param>
    /// <param name="where">Where they were computed, for messages; empty leaves it out.</param>
    /// <param name="differencesElsewhere">Whether the other gradients are compared with central differences.</param>
    public static void Reference(
        OpCase @case, float[][] results, string where, Closeness found, bool differencesElsewhere = false)
    {
        double[][] inputs = @case.Draw();
        double[] expected = @case.Reference(inputs);
        double[] upstream = OpCase.DrawUpstream(expected.Length);
        double[]?[]? gradients = @case.ReferenceBackward?.Invoke(inputs, upstream);
        double[]?[]? terms = @case.TermSizes?.Invoke(inputs, upstream);
        string on = where.Length == 0 ? "" : " on " + where;
        found.Check("y" + on, results[0], expected, @case.Tolerance);
        var others = new HashSet<int>();
        int next = 1;
        foreach (int i in @case.Differentiable)
        {
            if (gradients?[i] is { } gradient)
            {
                found.Check($"d{@case.Inputs[i].Name}{on}", results[next], gradient, @case.Tolerance, terms?[i]);
            }
            else
            {
                others.Add(i);
            }

            next++;
        }

        if (differencesElsewhere && others.Count > 0)
        {
            Differences(@case, results.AsSpan(1), factor: 1, found, others);
        }
    }

    /// <summary>Gradients beside central differences of the reference.</summary>
    /// <param name="gradients">Of every differentiable input, in order.</param>
    /// <param name="factor">How many times the operator's gradient they are.</param>
    /// <param name="inputs">Those that are looked at; all by default.</param>
    public static void Differences(
        OpCase @case, ReadOnlySpan<float[]> gradients, double factor, Closeness found, IReadOnlySet<int>? inputs = null)
    {
        int[] differentiable = [.. @case.Differentiable];
        foreach ((int input, int element, double slope) in @case.Slopes)
        {
            if (inputs?.Contains(input) != false)
            {
                float actual = gradients[Array.IndexOf(differentiable, input)][element];
                found.Check($"d{@case.Inputs[input].Name}[{element}]", actual, factor * slope, factor * @case.Tolerance);
            }
        }
    }
}
