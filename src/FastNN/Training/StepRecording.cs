using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN.Training;

/// <summary>What a <see cref="StepBuilder"/> recorded, to be planned for input shapes.</summary>
internal sealed class StepRecording
{
    private readonly Value[] _wantedGradients;

    private StepRecording(StepBuilder builder, Value root)
    {
        (Graph, Root) = (builder.Graph, root);
        Inputs = [.. builder.Inputs.Select(input => input.Value)];
        InputNames = [.. builder.Inputs.Select(input => input.Name)];
        Outputs = [.. builder.Outputs.Select(output => output.Value)];
        OutputNames = [.. builder.Outputs.Select(output => output.Name)];
        Losses = [.. builder.Losses.Select(loss => loss.Value)];
        LossNames = [.. builder.Losses.Select(loss => loss.Name)];
        Metrics = [.. builder.Metrics.Select(metric => metric.Value)];
        MetricNames = [.. builder.Metrics.Select(metric => metric.Name)];
        MetricKinds = [.. builder.Metrics.Select(metric => metric.Metric)];
        MetricColumns = [.. Metrics.Select(value => value.Shape.Rank > 1 ? value.Shape[-1] : 1)];
        _wantedGradients = [.. builder.WantedGradients];
    }

    public Graph Graph { get; }

    public Value[] Inputs { get; }

    public string[] InputNames { get; }

    public Value[] Outputs { get; }

    public string[] OutputNames { get; }

    public Value[] Losses { get; }

    public string[] LossNames { get; }

    /// <summary>What the metrics record: rows of columns.</summary>
    public Value[] Metrics { get; }

    public string[] MetricNames { get; }

    public Metric[] MetricKinds { get; }

    /// <summary>How many columns each has.</summary>
    public int[] MetricColumns { get; }

    /// <summary>The weighted sum of the losses, with penalties.</summary>
    public Value Root { get; }

    public static StepRecording Of(Action<StepBuilder> record, GraphMode mode, ulong seed, Func<Parameter, bool> belongs)
    {
        var builder = new StepBuilder(mode, seed);
        record(builder);
        return new StepRecording(builder, builder.Root(belongs));
    }

    /// <summary>
    /// Plans it for certain shapes of its inputs; those of inputs that are not given follow from the symbols of the others.
    /// </summary>
    /// <param name="planning">The device's answers to questions of size.</param>
    /// <param name="shapes">The shapes of the first inputs.</param>
    /// <param name="isTrained">Which parameters get gradients; null for a forward pass alone.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public Plan Compile(IPlanning planning, ReadOnlySpan<Shape> shapes, Func<Parameter, bool>? isTrained)
    {
        var symbols = new SymbolValues();
        for (int i = 0; i < shapes.Length; i++)
        {
            symbols.Bind(Inputs[i].Shape, shapes[i], $"Input '{InputNames[i]}'");
        }

        Value[] outputs = [.. new[] { Root }.Concat(Outputs).Concat(Losses).Concat(Metrics).Distinct()];
        return isTrained is null
            ? Compiler.Compile(planning, Graph, symbols, outputs)
            : Compiler.CompileStep(planning, Graph, symbols, outputs, Root, _wantedGradients, isTrained);
    }
}
