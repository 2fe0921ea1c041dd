using System.Globalization;
using System.Text;

namespace FastNN.Explain;

/// <summary>How a training step is looked at, and from what on its numbers are named. The thresholds are rules of
/// thumb.</summary>
public sealed record InspectionOptions
{
    /// <summary>Keys the random numbers of dropout, as the trainer's seed does; default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>The step whose random numbers dropout draws: updates made before it; default 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public long Step
    {
        get;
        init => field = value >= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Step), value, "Step: expected at least 0.");
    }

    /// <summary>
    /// Gradients have vanished at a layer where the norm of those that arrive at its output is below this share of the norm at
    /// the last layer; default 1e-4.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float VanishingShare { get; init => field = Requirements.NotNegative(value, nameof(VanishingShare)); } = 1e-4f;

    /// <summary>
    /// Gradients explode at a layer where the norm of those that arrive at its output is above this multiple of the norm at the
    /// last layer; default 1e4.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    public float ExplodingMultiple { get; init => field = Requirements.Positive(value, nameof(ExplodingMultiple)); } = 1e4f;

    /// <summary>Gradients of a parameter explode where their norm is above this multiple of the parameter's own norm and of 1;
    /// default 1e3.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive and finite.</exception>
    public float ExplodingParameterMultiple
    {
        get;
        init => field = Requirements.Positive(value, nameof(ExplodingParameterMultiple));
    } = 1e3f;
}

/// <summary>What a layer gives in a training step, and what arrives at it.</summary>
public sealed class LayerReport
{
    internal LayerReport(
        string path, string kind, Shape shape, TensorStatistics activations, TensorStatistics gradients, int[] dead,
        bool makesZeros) =>
        (Path, Kind, OutputShape, Activations, ActivationGradients, DeadUnits, MakesZeros)
            = (path, kind, shape, activations, gradients, dead, makesZeros);

    /// <summary>Its path as in parameter names; with a number where the model applies it once more.</summary>
    public string Path { get; }

    /// <summary>Its kind, such as Dense.</summary>
    public string Kind { get; }

    /// <summary>The shape of its output, batch axis first.</summary>
    public Shape OutputShape { get; }

    /// <summary>Its output.</summary>
    public TensorStatistics Activations { get; }

    /// <summary>The gradients of the loss that arrive at its output.</summary>
    public TensorStatistics ActivationGradients { get; }

    /// <summary>Units, that is places along the last axis, which are 0 in every example of the batch and at every other
    /// place.</summary>
    public IReadOnlyList<int> DeadUnits { get; }

    /// <summary>Whether zeros come from this layer rather than from the one before.</summary>
    internal bool MakesZeros { get; }
}

/// <summary>A parameter in a training step.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Shape">Its shape inside the engine.</param>
/// <param name="Values">Its values.</param>
/// <param name="Gradients">The gradients of the loss.</param>
public sealed record ParameterReport(string Name, Shape Shape, TensorStatistics Values, TensorStatistics Gradients);

/// <summary>What is the matter with a layer or parameter.</summary>
public enum TrainingFault
{
    /// <summary>Numbers are NaN or infinite; <see cref="TrainingDiagnostics"/> finds where they come from.</summary>
    NonFinite,

    /// <summary>Units give 0 for the whole batch, so that nothing teaches what is before them.</summary>
    DeadUnits,

    /// <summary>No gradient arrives: all of them are exactly 0.</summary>
    NoGradient,

    /// <summary>Gradients are far smaller than at the last layer.</summary>
    VanishingGradient,

    /// <summary>Gradients are far larger than at the last layer, or than the parameter.</summary>
    ExplodingGradient,
}

/// <summary>Something that is the matter.</summary>
/// <param name="Fault">What.</param>
/// <param name="Place">The layer's path, or the parameter's name.</param>
/// <param name="Message">In words.</param>
public sealed record TrainingFinding(TrainingFault Fault, string Place, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Message;
}

/// <summary>A training step as <see cref="TrainingDiagnostics"/> found it.</summary>
public sealed class TrainingReport
{
    private const int MostUnits = 20;

    internal TrainingReport(
        float loss, IReadOnlyList<LayerReport> layers, IReadOnlyList<ParameterReport> parameters, InspectionOptions options)
    {
        (Loss, Layers, Parameters) = (loss, layers, parameters);
        GradientNorm = Math.Sqrt(parameters.Sum(parameter => parameter.Gradients.Norm * parameter.Gradients.Norm));
        Findings = [.. FindInLayers(options), .. FindInParameters(options)];
    }

    /// <summary>The loss with its penalties.</summary>
    public float Loss { get; }

    /// <summary>The norm of the gradients of all parameters.</summary>
    public double GradientNorm { get; }

    /// <summary>The layers that have no layers inside of them, in the order in which they are computed.</summary>
    public IReadOnlyList<LayerReport> Layers { get; }

    /// <summary>The parameters that are trained.</summary>
    public IReadOnlyList<ParameterReport> Parameters { get; }

    /// <summary>What is the matter, by the thresholds of the options; empty where nothing is.</summary>
    public IReadOnlyList<TrainingFinding> Findings { get; }

    /// <summary>A table of the layers, and the findings.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        int width = Math.Max(Layers.Count == 0 ? 0 : Layers.Max(layer => layer.Path.Length + layer.Kind.Length + 3), 5);
        text.Append(
            CultureInfo.InvariantCulture,
            $"loss {Loss:g6}, norm of the gradients {GradientNorm:g4}\n{"layer".PadRight(width)}       mean        std      zeros   gradient\n");
        foreach (LayerReport layer in Layers)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{$"{layer.Path} ({layer.Kind})".PadRight(width)} {layer.Activations.Mean,10:g3} {layer.Activations.StandardDeviation,10:g3} {layer.Activations.ZeroShare,10:p1} {layer.ActivationGradients.Norm,10:g3}\n");
        }

        foreach (TrainingFinding finding in Findings)
        {
            text.Append(finding).Append('\n');
        }

        return text.ToString();
    }

    private IEnumerable<TrainingFinding> FindInLayers(InspectionOptions options)
    {
        double last = Layers.Count == 0 ? 0 : Layers[^1].ActivationGradients.Norm;
        foreach (LayerReport layer in Layers)
        {
            string name = $"{layer.Path} ({layer.Kind})";
            if (layer.Activations.NonFinite + layer.ActivationGradients.NonFinite > 0)
            {
                yield return Finding(
                    TrainingFault.NonFinite, layer.Path,
                    $"{name}: {layer.Activations.NonFinite} of {layer.Activations.Count} outputs and {layer.ActivationGradients.NonFinite} of their gradients are not finite");
            }

            if (layer.MakesZeros && layer.DeadUnits.Count > 0)
            {
                string more = layer.DeadUnits.Count > MostUnits ? $" and {layer.DeadUnits.Count - MostUnits} more" : "";
                yield return Finding(
                    TrainingFault.DeadUnits, layer.Path,
                    $"{name}: {layer.DeadUnits.Count} of {layer.OutputShape[-1]} units are 0 for the whole batch: {string.Join(", ", layer.DeadUnits.Take(MostUnits))}{more}");
            }

            double norm = layer.ActivationGradients.Norm;
            if (norm == 0 && layer.ActivationGradients.NonFinite == 0)
            {
                yield return Finding(TrainingFault.NoGradient, layer.Path, $"{name}: no gradient arrives, all are 0");
            }
            else if (last > 0 && norm < options.VanishingShare * last)
            {
                yield return Finding(
                    TrainingFault.VanishingGradient, layer.Path,
                    $"{name}: the gradients vanish, their norm {norm:g3} is {norm / last:g3} of that at the last layer");
            }
            else if (last > 0 && norm > options.ExplodingMultiple * last)
            {
                yield return Finding(
                    TrainingFault.ExplodingGradient, layer.Path,
                    $"{name}: the gradients explode, their norm {norm:g3} is {norm / last:g3} times that at the last layer");
            }
        }
    }

    private IEnumerable<TrainingFinding> FindInParameters(InspectionOptions options)
    {
        foreach (ParameterReport parameter in Parameters)
        {
            if (parameter.Values.NonFinite + parameter.Gradients.NonFinite > 0)
            {
                yield return Finding(
                    TrainingFault.NonFinite, parameter.Name,
                    $"{parameter.Name}: {parameter.Values.NonFinite} of {parameter.Values.Count} values and {parameter.Gradients.NonFinite} of their gradients are not finite");
            }

            double norm = parameter.Gradients.Norm;
            if (norm > options.ExplodingParameterMultiple * Math.Max(parameter.Values.Norm, 1))
            {
                yield return Finding(
                    TrainingFault.ExplodingGradient, parameter.Name,
                    $"{parameter.Name}: the gradients explode, their norm is {norm:g3}, that of the parameter {parameter.Values.Norm:g3}");
            }
        }
    }

    private static TrainingFinding Finding(TrainingFault fault, string place, FormattableString message) =>
        new(fault, place, FormattableString.Invariant(message));
}
